import { setTimeout as delay } from 'node:timers/promises';
import type { EventEnvelope } from '@packs/contracts';
import type { Client } from 'pg';
import { ulid } from 'ulid';
import type { Stack } from '../stack/stack';
import type { Drained, EventTimes } from './event-times';

export interface BacklogRates {
  /** From the outbox to the stream, by the publisher's relay. */
  readonly relayed: Drained;
  /** From the stream into the audit log and into the coverage, by compliance; both at once. */
  readonly audited: Drained;
  readonly covered: Drained;
}

export interface BacklogPlan {
  /** Another one for each backlog of a run. */
  readonly round: number;
  readonly count: number;
  readonly signal: AbortSignal;
}

const AT_ONCE = 1_000;
const LOOK_MS = 200;
const WITHIN_MS = 5 * 60_000;
const RELAYED = `select o.xmin as xid from registry.outbox o where o.sent_at is not null and o.event_id >= $1 and o.event_id <= $2`;
const AUDITED = `select a.xmin as xid from compliance.audit_log a where a.event_id >= $1 and a.event_id <= $2`;
const COVERED = `select c.xmin as xid from compliance.version_coverage c where c.updated_by >= $1 and c.updated_by <= $2`;

/**
 * Events nobody has taken yet, made of one that a publish has left: compliance is stopped, they are written into the publisher's outbox and
 * relayed to the stream, and compliance is started again.
 */
export async function measureBacklog(times: EventTimes, stack: Stack, { round, count, signal }: BacklogPlan): Promise<BacklogRates> {
  const compliance = stack.process('compliance');
  await compliance.stop();
  const range = await writeBacklog(times.client, { round, count, signal });
  const relayed = await until(times, RELAYED, range, count, signal);
  await compliance.start();
  const [audited, covered] = [await until(times, AUDITED, range, count, signal), await until(times, COVERED, range, count, signal)];
  return { relayed, audited, covered };
}

/** @returns the lowest and the highest id of the events */
async function writeBacklog(client: Client, { round, count, signal }: BacklogPlan): Promise<[string, string]> {
  const { rows } = await client.query<{ payload: Buffer }>(
    `select payload from registry.outbox where subject = 'pack.version.published' order by id desc limit 1`,
  );
  const [model] = rows;
  if (!model) throw new Error('nothing was published');
  const made = Array.from({ length: count }, (_, at) => likeThe(model.payload, `1.${round}.${at}`));
  const ids = made.map(event => event.id).sort();
  for (let at = 0; at < count; at += AT_ONCE) {
    signal.throwIfAborted();
    const events = made.slice(at, at + AT_ONCE);
    await client.query(
      `insert into registry.outbox (event_id, tenant, subject, payload)
       select e.id, $1, 'pack.version.published', e.payload from unnest($2::text[], $3::bytea[]) with ordinality as e(id, payload, n) order by n`,
      [events[0]?.data.tenant, events.map(event => event.id), events.map(event => Buffer.from(JSON.stringify(event)))],
    );
  }
  return [ids[0] ?? '', ids.at(-1) ?? ''];
}

/** An event about a version of its own. */
function likeThe(payload: Buffer, version: string): EventEnvelope {
  const event = JSON.parse(payload.toString('utf8')) as EventEnvelope;
  const id = `evt_${ulid()}`;
  const data = { ...event.data, id, packId: 'backlog', version };
  return { ...event, id, subject: [data.tenant, data.packId, data.version].join('/'), data };
}

async function until(times: EventTimes, rowsOf: string, range: readonly string[], count: number, signal: AbortSignal): Promise<Drained> {
  const deadline = performance.now() + WITHIN_MS;
  while (performance.now() < deadline) {
    const { rows } = await times.client.query<{ n: string }>(`select count(*) as n from (${rowsOf}) r`, [...range]);
    if (Number(rows[0]?.n) >= count) return times.drained(rowsOf, range);
    await delay(LOOK_MS, undefined, { signal });
  }
  throw new Error(`the backlog of ${count} events was not taken within ${WITHIN_MS / 1000} seconds`);
}
