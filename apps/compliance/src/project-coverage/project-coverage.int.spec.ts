import { COVERAGE_CONSUMER, type EventEnvelope } from '@packs/contracts';
import { checkMessage, ReplayEvents } from '@packs/messaging';
import {
  createDataSource,
  PostgresComplianceReadModel,
  PostgresCoverageUnitOfWork,
  PostgresEventRecord,
  PostgresRegistryUnitOfWork,
  type DataSource,
} from '@packs/persistence';
import { testDatabase, type TestDatabase } from '@packs/testing';
import { aHistory, SpecHistory } from './coverage.fixture';
import { ProjectCoverage } from './project-coverage';

const TABLES = ['version_coverage', 'attestation_coverage', 'channel_coverage', 'trust_coverage'];
const SLSA = 'https://slsa.dev/provenance/v1';

let database: TestDatabase;
let compliance: DataSource;
let gateway: DataSource;
let publisher: DataSource;
let admin: DataSource;
let tenants = 0;

beforeAll(async () => {
  database = await testDatabase();
  const open = (process: 'compliance' | 'api-gateway' | 'publisher') =>
    createDataSource({ url: database.urlOf(process), applicationName: 'spec', poolSize: 4 }).initialize();
  [compliance, gateway, publisher] = [await open('compliance'), await open('api-gateway'), await open('publisher')];
  admin = await createDataSource({ url: database.adminUrl, applicationName: 'spec', poolSize: 1 }).initialize();
});
afterAll(async () => {
  await admin.destroy();
  await Promise.all([compliance, gateway, publisher].map(one => one.destroy()));
  await database.drop();
});

const newTenant = () => `acme-${tenants++}`;
const projection = () => new ProjectCoverage(new PostgresCoverageUnitOfWork(compliance), checkMessage);
const summaryOf = (tenant: string, query = {}) => new PostgresComplianceReadModel(gateway).summary(tenant, query);

/** Every row of the tenant's coverage, as bytes. */
async function stateOf(tenant: string): Promise<string> {
  const parts: string[] = [];
  for (const table of TABLES) {
    const rows = await admin.query<{ row: string }[]>(
      `select t::text as row from compliance.${table} t where tenant = $1 order by t::text collate "C"`,
      [tenant],
    );
    parts.push(table, ...rows.map(({ row }) => row));
  }
  return parts.join('\n');
}

async function seenBy(history: SpecHistory): Promise<number> {
  const ids = history.events.map(({ id }) => id);
  const rows = await admin.query<{ n: number }[]>(
    `select count(*)::int as n from compliance.inbox where consumer = $1 and message_id = any($2)`,
    [COVERAGE_CONSUMER.name, ids],
  );
  return rows[0]?.n ?? 0;
}

/** Into the record, as the publisher commits them. */
async function record(history: SpecHistory): Promise<void> {
  const unitOfWork = new PostgresRegistryUnitOfWork(publisher, { committed: () => undefined, traceparent: () => null });
  await unitOfWork.run(history.tenant, async tx => {
    for (const event of history.events) await tx.outbox.append(event);
  });
}

async function takeIn(events: readonly EventEnvelope[]): Promise<boolean[]> {
  const taken: boolean[] = [];
  for (const event of events) taken.push(await projection().execute(event));
  return taken;
}

const replays = (coverage = projection()) =>
  new ReplayEvents(new PostgresEventRecord(compliance), [
    { contract: COVERAGE_CONSUMER, apply: event => coverage.execute(event), rebuild: (tenant, events) => coverage.rebuild(tenant, events) },
  ]);
const replay = (tenant: string, rebuild: boolean) => replays().execute({ tenant, consumer: COVERAGE_CONSUMER.name, since: null, rebuild });

/** A seeded shuffle (mulberry32), so that a failure can be repeated. */
function shuffled<T>(items: readonly T[], seed: number): T[] {
  let state = seed;
  const random = (): number => {
    state = (state + 0x6d2b79f5) | 0;
    let t = Math.imul(state ^ (state >>> 15), 1 | state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32;
  };
  return items
    .map(item => ({ item, at: random() }))
    .toSorted((a, b) => a.at - b.at)
    .map(({ item }) => item);
}

describe('ProjectCoverage', () => {
  it('counts versions by signature, attestation, lifecycle, type and channel', async () => {
    const history = aHistory(newTenant());
    await takeIn(history.events);
    expect(await summaryOf(history.tenant)).toMatchObject({
      tenant: history.tenant,
      asOf: history.events.at(-1)?.time,
      totals: {
        packs: 2,
        versions: 4,
        attestations: {
          packs: 1,
          versions: 2,
          percent: 50,
          byPredicateType: [
            { predicateType: 'https://cyclonedx.org/bom', versions: 1, percent: 25 },
            { predicateType: SLSA, versions: 2, percent: 50 },
          ],
        },
        signatures: { signed: 2, untrusted: 1, unsigned: 1, percent: 50 },
        scans: { scanned: 1, partlyScanned: 1, notScanned: 2 },
        lifecycle: { active: 3, deprecated: 0, archived: 1 },
      },
      byType: [
        {
          type: 'policy',
          versions: 2,
          signatures: { signed: 0, untrusted: 1, unsigned: 1 },
          attestations: { percent: 0, byPredicateType: [] },
        },
        { type: 'task', versions: 2, attestations: { percent: 100 }, lifecycle: { active: 1, archived: 1 } },
      ],
      byChannel: [
        { channel: 'edge', packs: 2, versions: 2 },
        { channel: 'stable', packs: 1, versions: 1, attestations: { versions: 1 } },
      ],
    });
  });

  it('narrows the count to a type and to what a channel points at', async () => {
    const history = aHistory(newTenant());
    await takeIn(history.events);
    expect((await summaryOf(history.tenant, { type: 'policy' })).totals).toMatchObject({ packs: 1, versions: 2 });
    expect((await summaryOf(history.tenant, { channel: 'stable' })).totals).toMatchObject({ versions: 1, lifecycle: { active: 1 } });
    expect((await summaryOf(history.tenant, { channel: 'lts' })).totals).toMatchObject({ versions: 0, attestations: { percent: null } });
  });

  it('counts for a tenant nothing of another', async () => {
    await takeIn(aHistory(newTenant()).events);
    expect(await summaryOf(newTenant())).toMatchObject({ asOf: null, totals: { packs: 0, versions: 0 }, byType: [], byChannel: [] });
  });

  it('no longer counts signatures and attestations by a key that lost its trust, and counts them again when it is back', async () => {
    const history = new SpecHistory(newTenant()).trust('release', 'builder').publish('acme.build', '1.0.0').attest('acme.build', '1.0.0');
    await takeIn(history.events);
    await takeIn([...history.trust('release').events]);
    expect((await summaryOf(history.tenant)).totals).toMatchObject({ attestations: { versions: 0 }, signatures: { signed: 1 } });
    await takeIn([...history.trust('builder').events]);
    expect((await summaryOf(history.tenant)).totals).toMatchObject({
      attestations: { versions: 1 },
      signatures: { signed: 0, untrusted: 1 },
    });
  });

  it('counts no attestation that is contested, nor one that is provisional under the trust of now, in whatever order that is told', async () => {
    const attestedAfter = async (events: readonly EventEnvelope[], tenant: string) => {
      await takeIn(events);
      return (await summaryOf(tenant)).totals.attestations.versions;
    };
    const begun = () =>
      new SpecHistory(newTenant()).trust('release', 'builder').publish('acme.build', '1.0.0').attest('acme.build', '1.0.0');
    const contested = begun().reassess('acme.build', '1.0.0', 'contested', 2);
    expect(await attestedAfter(contested.events.toReversed(), contested.tenant)).toBe(0);
    const before = await stateOf(contested.tenant);
    await replay(contested.tenant, false);
    expect(await stateOf(contested.tenant)).toBe(before);
    const upheld = begun().reassess('acme.build', '1.0.0', 'contested', 2).reassess('acme.build', '1.0.0', 'verified', 3, 1);
    for (const seed of [1, 2, 3]) await takeIn(shuffled(upheld.events, seed));
    expect(await attestedAfter([], upheld.tenant)).toBe(1);
    const lost = begun().reassess('acme.build', '1.0.0', 'provisional', 2, 1);
    expect(await attestedAfter(lost.events, lost.tenant)).toBe(0);
    expect(await attestedAfter(lost.trust('release', 'builder').events, lost.tenant)).toBe(1);
    const orders: string[] = [];
    for (const seed of [4, 5, 6]) {
      const history = new SpecHistory(newTenant())
        .trust('builder')
        .publish('a', '1.0.0')
        .attest('a', '1.0.0')
        .reassess('a', '1.0.0', 'contested', 2);
      await takeIn(shuffled(history.reassess('a', '1.0.0', 'verified', 3, 1).events, seed));
      orders.push((await stateOf(history.tenant)).replaceAll(history.tenant, 'tenant').replaceAll(/evt_\w+/g, 'evt'));
    }
    expect(new Set(orders).size).toBe(1);
  });

  it('takes each event in once, however often it arrives', async () => {
    const history = aHistory(newTenant());
    expect(await takeIn(history.events)).toEqual(history.events.map(() => true));
    const before = await stateOf(history.tenant);
    expect(await takeIn(history.events)).toEqual(history.events.map(() => false));
    expect(await stateOf(history.tenant)).toBe(before);
  });

  it.each([1, 2, 3, 4, 5, 6])('ends in the same state when events arrive in another order and twice (seed %i)', async seed => {
    const [straight, mixed] = [aHistory(newTenant()), newTenant()];
    await takeIn(straight.events);
    const moved = straight.events.map(event => ({
      ...event,
      // The first digit of an id of this century is 0, so the new id is nobody's; a change at its end could hit the old one by chance.
      id: `evt_${seed}${event.id.slice('evt_0'.length)}`,
      data: { ...event.data, tenant: mixed },
    }));
    await takeIn(shuffled([...moved, ...moved], seed));
    const named = (await stateOf(mixed)).replaceAll(mixed, straight.tenant);
    const original = new Map(moved.map((event, at) => [event.id, straight.events[at]?.id ?? '']));
    expect(named.replace(/evt_[0-9A-Z]{26}/g, id => original.get(id) ?? id)).toBe(await stateOf(straight.tenant));
  });

  it.each([1, 2, 3])(
    'leaves the same rows for many events at once as for one after another, in any order and split (seed %i)',
    async seed => {
      const apart = aHistory(newTenant());
      await takeIn(apart.events);
      const together = aHistory(newTenant());
      const [first, ...others] = shuffled([...together.events, ...together.events.slice(0, 3)], seed);
      const split = others.length >> 1;
      const counts = [];
      for (const batch of [first ? [first] : [], others.slice(0, split), others.slice(split), others]) {
        counts.push(await projection().executeAll(batch));
      }
      expect(counts.reduce((sum, count) => sum + count, 0)).toBe(together.events.length);
      expect(counts.at(-1)).toBe(0);
      const original = new Map(together.events.map(({ id }, at) => [id, apart.events[at]?.id ?? '']));
      const named = (await stateOf(together.tenant)).replaceAll(together.tenant, apart.tenant);
      expect(named.replace(/evt_[0-9A-Z]{26}/g, id => original.get(id) ?? id)).toBe(await stateOf(apart.tenant));
      expect(await seenBy(together)).toBe(together.events.length);
    },
  );

  it('says nothing of a version that is only known from later events', async () => {
    const history = new SpecHistory(newTenant())
      .publish('acme.build', '1.0.0')
      .attest('acme.build', '1.0.0')
      .deprecate('acme.build', '1.0.0');
    const [published, ...later] = history.events;
    await takeIn(later);
    expect((await summaryOf(history.tenant)).totals).toMatchObject({ versions: 0 });
    await takeIn(published ? [published] : []);
    expect((await summaryOf(history.tenant)).totals).toMatchObject({ versions: 1, lifecycle: { deprecated: 1 } });
  });

  it('leaves events alone that say nothing of coverage', async () => {
    const history = aHistory(newTenant());
    const [event] = history.events;
    if (!event) throw new Error('no event');
    expect(await projection().execute({ ...event, type: 'registry.visibility.updated' })).toBe(false);
    expect(await seenBy(history)).toBe(0);
  });

  it('refuses an event that does not follow its contract', async () => {
    const [, published] = aHistory(newTenant()).events;
    if (!published) throw new Error('no event');
    const broken = { ...published, data: { ...published.data, packType: 'novel' } };
    await expect(projection().execute(broken)).rejects.toMatchObject({ code: 'ERR_PACK_REQUEST_INVALID' });
  });
});

describe('a replay of the record', () => {
  async function filled(): Promise<{ history: SpecHistory; before: string }> {
    const history = aHistory(newTenant());
    await record(history);
    await takeIn(history.events);
    return { history, before: await stateOf(history.tenant) };
  }

  it.each([true, false])('leaves the same rows, byte for byte (rebuild: %s)', async rebuild => {
    const { history, before } = await filled();
    const { length } = history.events;
    expect(await replay(history.tenant, rebuild)).toMatchObject({ events: length, applied: rebuild ? length : 0, refused: 0 });
    expect(await stateOf(history.tenant)).toBe(before);
    expect(await seenBy(history)).toBe(length);
  });

  it('fills in what was never delivered', async () => {
    const { history, before } = await filled();
    const [tenant, missing] = [history.tenant, history.events.filter((_, at) => at % 3 === 0)];
    for (const table of TABLES) await admin.query(`delete from compliance.${table} where tenant = $1`, [tenant]);
    await admin.query(`delete from compliance.inbox where message_id = any($1)`, [history.events.map(({ id }) => id)]);
    await takeIn(history.events.filter(event => !missing.includes(event)));
    expect(await replay(tenant, false)).toMatchObject({ applied: missing.length });
    expect(await stateOf(tenant)).toBe(before);
  });

  it('mends rows that were damaged, when it rebuilds', async () => {
    const { history, before } = await filled();
    await admin.query(`update compliance.version_coverage set signers = '{}', archived_at = now() where tenant = $1`, [history.tenant]);
    await admin.query(`insert into compliance.channel_coverage select $1, 'ghost', 'edge', '9.0.0', 'z', now(), 'evt_x'`, [history.tenant]);
    await replay(history.tenant, true);
    expect(await stateOf(history.tenant)).toBe(before);
  });

  it('touches nothing of another tenant', async () => {
    const [one, other] = [await filled(), await filled()];
    await replay(one.history.tenant, true);
    expect(await stateOf(other.history.tenant)).toBe(other.before);
    expect(await seenBy(other.history)).toBe(other.history.events.length);
  });

  it('that is cut off leaves the rows of before', async () => {
    const { history, before } = await filled();
    const interrupted = async function* (): AsyncIterable<EventEnvelope> {
      yield* history.events.slice(0, 5);
      throw new Error('cut off');
    };
    await expect(projection().rebuild(history.tenant, interrupted())).rejects.toThrow('cut off');
    expect(await stateOf(history.tenant)).toBe(before);
    expect(await seenBy(history)).toBe(history.events.length);
  });

  it('whose connection is killed leaves the rows of before', async () => {
    const { history, before } = await filled();
    const killed = async function* (): AsyncIterable<EventEnvelope> {
      yield* history.events.slice(0, 5);
      await admin.query(
        `select pg_terminate_backend(pid) from pg_locks where locktype = 'advisory' and mode = 'ExclusiveLock' and database =
           (select oid from pg_database where datname = current_database())`,
      );
      yield* history.events.slice(5);
    };
    // Errors of Node's sockets are of another realm than a spec's, so that they stay what they are.
    await expect(projection().rebuild(history.tenant, killed())).rejects.toMatchObject({
      code: expect.stringMatching(/^(ERR_PACK_UNAVAILABLE|ECONNRESET)$/),
    });
    expect(await stateOf(history.tenant)).toBe(before);
  });

  it('shows readers the rows of before until it is done, and has live events wait', async () => {
    const { history, before } = await filled();
    const fresh = new SpecHistory(history.tenant).publish('acme.fresh', '1.0.0').events;
    const during = async function* (): AsyncIterable<EventEnvelope> {
      yield* history.events.slice(0, 5);
      expect(await stateOf(history.tenant)).toBe(before);
      await expect(takeIn(fresh)).rejects.toMatchObject({ code: 'ERR_PACK_UNAVAILABLE', retry: 'later' });
      await expect(replay(history.tenant, true)).rejects.toMatchObject({ code: 'ERR_PACK_CONFLICT' });
      yield* history.events.slice(5);
    };
    await projection().rebuild(history.tenant, during());
    expect(await stateOf(history.tenant)).toBe(before);
    expect(await takeIn(fresh)).toEqual([true]);
    expect((await summaryOf(history.tenant)).totals).toMatchObject({ packs: 3 });
  });

  it('beside a live consumer ends in the state that either reaches alone', async () => {
    const [expected, live] = [await filled(), aHistory(newTenant())];
    await record(live);
    const patiently = async (event: EventEnvelope): Promise<void> => {
      for (;;) {
        try {
          return void (await projection().execute(event));
        } catch (error) {
          if ((error as { code?: string }).code !== 'ERR_PACK_UNAVAILABLE') throw error;
          await new Promise(resolve => setImmediate(resolve));
        }
      }
    };
    const consuming = (async () => {
      for (const event of live.events) await patiently(event);
    })();
    for (let round = 0; round < 5; round++) await replay(live.tenant, true);
    await consuming;
    const named = (await stateOf(live.tenant)).replaceAll(live.tenant, expected.history.tenant);
    const ids = new Map(live.events.map((event, at) => [event.id, expected.history.events[at]?.id ?? '']));
    expect(named.replace(/evt_[0-9A-Z]{26}/g, id => ids.get(id) ?? id)).toBe(expected.before);
  });

  it('reads a long record page by page', async () => {
    const history = new SpecHistory(newTenant());
    for (let n = 0; n < 1_200; n++) history.publish(`acme.p${n % 40}`, `1.0.${n}`);
    await record(history);
    expect(await replay(history.tenant, true)).toMatchObject({ events: 1_200, applied: 1_200 });
    expect((await summaryOf(history.tenant)).totals).toMatchObject({ packs: 40, versions: 1_200 });
  });
});
