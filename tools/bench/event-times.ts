import { AUDIT_CONSUMER, COVERAGE_CONSUMER, MIRROR_CONSUMER } from '@packs/contracts';
import { Client } from 'pg';
import type { Stack } from '../stack/stack';
import { databaseSettings } from './database-settings';
import type { SignedPack } from './signed-packs';

/** How long after the commit of a publish something happened, in milliseconds. */
export interface EventDistances {
  /** The transaction of the audit consumer began: it has the event. */
  readonly seen: number;
  readonly audited: number;
  readonly covered: number;
  /** Absent when no mirror selects the version. */
  readonly planned: number | undefined;
}

export interface Drained {
  /** Rows committed after the first commit, by second between the first and the last commit. */
  readonly perSecond: number;
  readonly rows: number;
}

/**
 * Reads when transactions committed from PostgreSQL itself: the times that `track_commit_timestamp` keeps of a publish and of those its event
 * led to are of one clock, and nobody polls for them.
 */
export class EventTimes {
  private constructor(readonly client: Client) {}

  /** Switches the times on, which takes a restart of the server. */
  static async open(stack: Stack): Promise<EventTimes> {
    await onServer(stack, client => client.query('alter system set track_commit_timestamp = on'));
    await stack.process('postgres').stop();
    await stack.process('postgres').start();
    const client = new Client({ connectionString: stack.databaseAdminUrl });
    await client.connect();
    return new EventTimes(client);
  }

  settings(): Promise<Readonly<Record<string, string>>> {
    return databaseSettings(this.client);
  }

  /** @returns those of the packs whose event has arrived everywhere it goes */
  async of(packs: readonly SignedPack[]): Promise<EventDistances[]> {
    const { rows } = await this.client.query<EventDistances & { planned: number | null }>(DISTANCES, [
      packs.map(pack => pack.packId),
      packs.map(pack => pack.version),
      AUDIT_CONSUMER.name,
      COVERAGE_CONSUMER.name,
      MIRROR_CONSUMER.name,
    ]);
    return rows.map(({ seen, audited, covered, planned }) => ({ seen, audited, covered, planned: planned ?? undefined }));
  }

  /** How fast rows that a query names (as `xid`) were committed. */
  async drained(rowsOf: string, values: readonly string[]): Promise<Drained> {
    const { rows } = await this.client.query<{ n: string; after: string; seconds: number }>(
      `with c as (select pg_xact_commit_timestamp(xid) as at from (${rowsOf}) r)
       select count(*) as n, count(*) filter (where at > (select min(at) from c)) as after,
         extract(epoch from max(at) - min(at))::float8 as seconds from c`,
      [...values],
    );
    const [{ n, after, seconds } = { n: '0', after: '0', seconds: 0 }] = rows;
    return { rows: Number(n), perSecond: seconds > 0 ? Number(after) / seconds : Number.NaN };
  }

  async close(): Promise<void> {
    await this.client.end();
  }
}

async function onServer(stack: Stack, work: (client: Client) => Promise<unknown>): Promise<void> {
  const client = new Client({ connectionString: stack.databaseAdminUrl });
  await client.connect();
  try {
    await work(client);
  } finally {
    await client.end();
  }
}

const since = (time: string) => `extract(epoch from ${time} - pg_xact_commit_timestamp(v.xmin))::float8 * 1000`;

const DISTANCES = `
  select ${since('seen.received_at')} as seen,
    ${since('pg_xact_commit_timestamp(audit.xmin)')} as audited,
    ${since('pg_xact_commit_timestamp(covered.xmin)')} as covered,
    ${since('pg_xact_commit_timestamp(planned.xmin)')} as planned
  from unnest($1::text[], $2::text[]) as p(pack_id, version)
  join registry.pack_versions v on (v.pack_id, v.version) = (p.pack_id, p.version)
  join compliance.audit_log audit on (audit.tenant, audit.pack_id, audit.version, audit.type) =
    (v.tenant, v.pack_id, v.version, 'pack.version.published')
  join compliance.inbox seen on (seen.consumer, seen.message_id) = ($3, audit.event_id)
  join compliance.inbox covered on (covered.consumer, covered.message_id) = ($4, audit.event_id)
  left join mirror.inbox planned on (planned.consumer, planned.message_id) = ($5, audit.event_id)`;
