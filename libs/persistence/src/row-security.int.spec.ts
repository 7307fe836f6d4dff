import type { AuditEntry } from '@packs/domain';
import { auditLeaf, MEDIA_TYPES, sha256 } from '@packs/domain';
import type { CoverageFact } from '@packs/ports';
import type { Client } from 'pg';
import { PostgresAuditUnitOfWork } from './compliance/audit-unit-of-work';
import { PostgresContentCatalog } from './content-catalog';
import { PostgresCoverageUnitOfWork } from './compliance/coverage-unit-of-work';
import { PostgresDeadLetters } from './compliance/dead-letters';
import { PostgresUploadSessions } from './gateway/upload-sessions';
import { fillKits } from './kits/kits.fixture';
import { PostgresMirrorQueue } from './mirror/mirror-queue';
import { PostgresMirrorUnitOfWork } from './mirror/mirror-unit-of-work';
import { PostgresRepairQueue } from './mirror/repair-queue';
import { fillParity } from './parity/parity.fixture';
import {
  anEvent,
  appendEvent,
  aStoredBlob,
  AT,
  attest,
  keepProvisional,
  publish,
  rotate,
  setUpTrust,
  SpecDatabase,
  unitOfWorkOn,
} from './persistence.fixture';
import { PostgresAuditReadModel } from './reading/audit-read-model';
import { PostgresPackReadModel } from './reading/pack-read-model';
import { LOGIN_ROLES } from './roles';
import { inTransaction, readAs } from './transaction';
import { PostgresGenericContent } from './registry/generic-content';

type Process = keyof typeof LOGIN_ROLES;
const PROCESSES = Object.keys(LOGIN_ROLES) as Process[];

interface Table {
  readonly name: string;
  readonly enabled: boolean;
  readonly forced: boolean;
  readonly partition: boolean;
  /** Columns that a row is given. */
  readonly columns: readonly string[];
  readonly roles: readonly string[];
}

/** Events of all tenants are read by their relay and for replays, by named policies; the relay marks them as well. */
const RELAYS: Readonly<Record<string, string>> = {
  publisher: 'registry.outbox',
  'mirror-worker': 'mirror.outbox',
  'parity-worker': 'parity.outbox',
};
const REPLAYING: readonly string[] = ['compliance', 'mirror-worker', 'parity-worker'];

/** Work of all tenants, seen in transactions that are of no tenant. */
const QUEUES: Readonly<Record<string, readonly string[]>> = {
  'api-gateway': ['gateway.uploads'],
  publisher: ['registry.reverifications'],
  'mirror-worker': ['mirror.mirrors', 'mirror.jobs', 'mirror.copies', 'mirror.kit_jobs', 'mirror.kit_staging', 'mirror.repairs'],
  'parity-worker': ['mirror.mirrors', 'mirror.jobs', 'parity.comparisons', 'parity.findings', 'parity.parity_matrix', 'parity.mirrors'],
};

/** What is only looked for there: whose claims have ended, whose attestations are to be judged again, and whose trust is to be looked at. */
const LOOKED_THROUGH: Readonly<Record<string, readonly string[]>> = {
  publisher: ['registry.pending_versions', 'registry.assessments_due', 'registry.trust_watches'],
};

function worksOnAll(process: string, table: string, tenant: string | null): boolean {
  return !tenant && (QUEUES[process]?.includes(table) ?? false);
}

function seesAll(process: string, table: string, tenant: string | null): boolean {
  const record = table.endsWith('.outbox') && (RELAYS[process] === table || REPLAYING.includes(process));
  return record || worksOnAll(process, table, tenant) || (!tenant && (LOOKED_THROUGH[process]?.includes(table) ?? false));
}

async function tenantTables(admin: Client): Promise<Table[]> {
  const { rows } = await admin.query<Table>(
    `select n.nspname || '.' || c.relname as name, c.relrowsecurity as enabled, c.relforcerowsecurity as forced, c.relispartition as partition,
       array_agg(a.attname::text order by a.attnum) filter (where a.attidentity = '' and a.attgenerated = '') as columns,
       array(select r.rolname::text from pg_roles r where r.rolname = any($1) and has_any_column_privilege(r.oid, c.oid, 'select, insert, update')) as roles
     from pg_class c join pg_namespace n on n.oid = c.relnamespace join pg_attribute a on a.attrelid = c.oid and a.attnum > 0
     where c.relkind in ('r', 'p') and n.nspname not in ('pg_catalog', 'information_schema')
     group by n.nspname, c.oid, c.relname having 'tenant' = any(array_agg(a.attname)) order by 1`,
    [Object.values(LOGIN_ROLES)],
  );
  return rows;
}

function anEntry(tenant: string, seq: number, id = `evt_${seq}`): AuditEntry {
  const named = { packId: 'acme.hello', version: '1.0.0', actor: 'user:alice', source: null, signatures: [], metadataHash: sha256('x') };
  return { seq, id, type: 'pack.version.published', tenant, ...named, occurredAt: AT, data: {} };
}

async function fillCoverage(compliance: Awaited<ReturnType<SpecDatabase['as']>>, tenant: string): Promise<void> {
  const version = { packId: 'acme.hello', version: '1.0.0' };
  await new PostgresCoverageUnitOfWork(compliance).run(tenant, async ({ coverage }) => {
    const source = { eventId: 'evt_1', at: AT };
    const facts: CoverageFact[] = [
      { kind: 'published', ...version, packType: 'task', publishedAt: AT, signers: [], signatures: 0, scanState: 'not-scanned' },
      { kind: 'attested', ...version, digest: sha256('a'), predicateType: 'https://a.test', signers: [] },
      { kind: 'head', ...version, channel: 'edge' },
      { kind: 'trust', epoch: 1, keyIds: [] },
    ];
    await coverage.add(
      tenant,
      facts.map(fact => ({ fact, source })),
    );
  });
}

async function fillMirrors(worker: Awaited<ReturnType<SpecDatabase['as']>>, tenant: string): Promise<void> {
  const hooks = { committed: () => undefined, traceparent: () => null };
  const settings = { name: 'north', kind: 'directory', location: 'north', selection: {}, intervalSeconds: null, enabled: true } as const;
  await new PostgresMirrorUnitOfWork(worker, hooks).run(tenant, async tx => {
    await tx.mirrors.add(tenant, `mirror of ${tenant}`, { settings, actor: 'user:alice', at: new Date(AT) });
    await tx.jobs.enqueue(tenant, `mirror of ${tenant}`, {
      cause: 'request',
      requestedBy: 'user:alice',
      source: null,
      verify: false,
      changedAt: null,
    });
    await tx.outbox.append(anEvent(tenant));
  });
  const queue = new PostgresMirrorQueue(worker, hooks);
  const job = await queue.claim('worker', 60_000);
  const counts = { versions: 0, totalVersions: 0, bytes: 0, totalBytes: 0, copiedBytes: 0, repaired: 0, skipped: 0 };
  if (job) await queue.progress(job, [{ path: 'state.json', digest: sha256('state'), size: 5 }], counts);
  await new PostgresRepairQueue(worker).ask(`evt_of_${tenant}`, { tenant, digest: sha256('damaged'), size: 7 });
  const dead = { consumer: 'mirror-plan', subject: 'pack.x', eventId: null, tenant, payload: Buffer.from('?'), reason: 'bad', attempts: 1 };
  await new PostgresDeadLetters(worker, 'mirror', 'platform').add(dead);
}

/** A generic repository with a tag, and a version that waits for its signatures. */
async function fillRepositories(publisher: Awaited<ReturnType<SpecDatabase['as']>>, tenant: string): Promise<void> {
  const [manifest, config, bundle] = ['manifest', 'config', 'bundle'].map(name => aStoredBlob(`${name} of ${tenant}`));
  if (!manifest || !config || !bundle) throw new Error('nothing to record');
  await new PostgresContentCatalog(publisher).record([config, bundle]);
  const record = { digest: manifest.digest, mediaType: MEDIA_TYPES.ociManifest, artifactType: '', subject: null, annotations: {} };
  const push = {
    tenant,
    repository: 'app',
    manifest: record,
    written: manifest,
    tags: ['latest'],
    blobs: [],
    foreignBlobs: [],
    parts: [],
    children: [],
  };
  await new PostgresGenericContent(publisher, false).put({ ...push, at: AT, actor: 'user:alice' });
  await unitOfWorkOn(publisher).run(tenant, async tx => {
    await tx.repositories.lockPack(tenant, 'acme.waiting');
    const claim = {
      tenant,
      packId: 'acme.waiting',
      version: '1.0.0',
      channel: 'edge',
      reasons: [],
      source: null,
      referrers: [],
      blobs: [],
    };
    const times = { claimedAt: AT, claimedBy: 'user:alice', expiresAt: AT };
    await tx.pendingVersions.claim({ ...claim, ...times, manifest: record, config: config.digest, bundle: bundle.digest });
  });
}

/** One row at least in every tenant table. */
async function fill(db: SpecDatabase, tenant: string): Promise<void> {
  const publisher = await db.as('publisher');
  await setUpTrust(publisher, tenant);
  const { version } = await publish(publisher, { tenant, besides: ['forged'] });
  await attest(publisher, version);
  await keepProvisional(publisher, version);
  await rotate(publisher, version);
  await appendEvent(publisher);
  const uploads = new PostgresUploadSessions(await db.as('api-gateway'));
  await uploads.open({ namespace: tenant, repository: 'app' }, 'user:alice', 'sha256', 1);
  await uploads.link({ namespace: tenant, repository: 'app' }, 'user:alice', aStoredBlob('pushed'));
  await fillRepositories(publisher, tenant);
  await unitOfWorkOn(publisher).run(tenant, tx =>
    tx.seal.put(tenant, { sealed: true, by: 'api', since: AT, changedBy: 'user:alice', reason: 'x', pendingUnseal: null }),
  );
  await unitOfWorkOn(publisher).run(tenant, tx =>
    tx.channels.put(tenant, { name: 'nightly', description: '', createdAt: AT, createdBy: 'user:alice' }),
  );
  await unitOfWorkOn(publisher).run(tenant, tx =>
    tx.namespacePolicies.put(tenant, { publicRead: false, pullByDigestOnly: false }, { at: AT, actor: 'user:alice' }),
  );
  await unitOfWorkOn(publisher).run(tenant, tx =>
    tx.trust.setScanning(tenant, { secrets: 'on', malware: 'required' }, { at: AT, actor: 'user:alice' }),
  );
  await unitOfWorkOn(publisher).run(tenant, tx => tx.idempotency.put(tenant, 'key', sha256('request'), { outcome: 'rejected' } as never));
  const compliance = await db.as('compliance');
  await new PostgresAuditUnitOfWork(compliance).run(tenant, tx =>
    tx.audit.append(tenant, [`evt_of_${tenant}`], (_, seq) => ({ entry: anEntry(tenant, seq), leaf: auditLeaf(anEntry(tenant, seq)) })),
  );
  await fillCoverage(compliance, tenant);
  await fillMirrors(await db.as('mirror-worker'), tenant);
  await fillParity(await db.as('parity-worker'), tenant);
  await fillKits(await db.as('mirror-worker'), publisher, tenant);
  const dead = {
    consumer: 'compliance-audit',
    subject: 'pack.x',
    eventId: null,
    tenant,
    payload: Buffer.from('?'),
    reason: 'bad',
    attempts: 1,
  };
  await new PostgresDeadLetters(compliance, 'compliance', 'platform').add(dead);
}

/** Runs as `tenant` in a transaction that leaves nothing behind. */
async function trial<T>(client: Client, tenant: string | null, work: () => Promise<T>): Promise<T> {
  await client.query('begin');
  try {
    if (tenant !== null) await client.query(`select set_config('app.tenant', $1, true)`, [tenant]);
    return await work();
  } finally {
    await client.query('rollback');
  }
}

describe('row-level security', () => {
  let db: SpecDatabase;
  let admin: Client;
  let tables: Table[];
  beforeAll(async () => {
    db = await SpecDatabase.open();
    admin = await db.client();
    tables = await tenantTables(admin);
    await fill(db, 'acme');
  });
  afterAll(() => db.close());
  const openTo = (process: Process) => tables.filter(table => table.roles.includes(LOGIN_ROLES[process]));

  it('is forced on every table with a tenant; a partition is open to nobody', () => {
    expect(tables.length).toBeGreaterThan(12);
    expect(tables.filter(table => !table.partition && !(table.enabled && table.forced)).map(table => table.name)).toEqual([]);
    expect(tables.filter(table => table.partition && table.roles.length > 0).map(table => table.name)).toEqual([]);
  });

  it('is tried on tables that all have rows', async () => {
    for (const { name } of tables.filter(table => !table.partition)) {
      const { rows } = await admin.query<{ n: number }>(`select count(*)::int as n from ${name} where tenant = 'acme'`);
      expect([name, rows[0]?.n]).not.toEqual([name, 0]);
    }
  });

  it.each(PROCESSES)('shows %s the rows of a tenant to that tenant and to nobody else', async process => {
    const client = await db.client(process);
    expect(openTo(process).length).toBeGreaterThan(2);
    for (const { name } of openTo(process)) {
      const seen = async (tenant: string | null) => {
        const { rows } = await trial(client, tenant, () =>
          client.query<{ n: number }>(`select count(*)::int as n from ${name} where tenant = 'acme'`),
        );
        return [name, tenant, (rows[0]?.n ?? 0) > 0];
      };
      expect(await seen('acme')).toEqual([name, 'acme', true]);
      for (const other of ['globex', '', null, 'ACME', 'acme '])
        expect(await seen(other)).toEqual([name, other, seesAll(process, name, other)]);
    }
  });

  it.each(PROCESSES)('lets %s add and change no row of another tenant', async process => {
    const client = await db.client(process);
    for (const { name, columns } of openTo(process)) {
      const row = (await admin.query<{ row: unknown }>(`select to_jsonb(t) as row from ${name} t where tenant = 'acme' limit 1`)).rows[0]
        ?.row;
      const { rows: privileges } = await admin.query<{ insert: boolean }>(`select has_table_privilege($1, $2, 'insert') as insert`, [
        LOGIN_ROLES[process],
        name,
      ]);
      const list = columns.join(', ');
      const insert = `insert into ${name} (${list}) select ${list} from jsonb_populate_record(null::${name}, $1)`;
      const others = ['globex', '', null].filter(tenant => privileges[0]?.insert && !worksOnAll(process, name, tenant));
      for (const tenant of others) {
        const refused = await trial(client, tenant, () => client.query(insert, [JSON.stringify(row)])).catch((error: unknown) => error);
        expect([name, refused]).toMatchObject([name, { code: '42501', message: expect.stringContaining('row-level security') as string }]);
      }
      const updatable = await admin.query<{ column: string }>(
        `select column_name as column from information_schema.column_privileges where grantee = $1 and privilege_type = 'UPDATE'
           and table_schema || '.' || table_name = $2`,
        [LOGIN_ROLES[process], name],
      );
      if (RELAYS[process] === name) continue;
      for (const { column } of updatable.rows) {
        const update = `update ${name} set ${column} = ${column}`;
        expect([name, (await trial(client, 'globex', () => client.query(update))).rowCount]).toEqual([name, 0]);
        expect([name, (await trial(client, 'acme', () => client.query(update))).rowCount]).not.toEqual([name, 0]);
      }
    }
  });

  it('keeps a tenant’s own rows from moving to another', async () => {
    const client = await db.client('publisher');
    const insert = `insert into registry.packs (tenant, pack_id, type) values ('globex', 'x', 'task')`;
    await expect(trial(client, 'acme', () => client.query(insert))).rejects.toMatchObject({ code: '42501' });
  });

  it('takes a tenant’s name for text, whatever is in it', async () => {
    const gateway = await db.as('api-gateway', 1);
    for (const tenant of [
      "acme' or '1'='1",
      "x', true); reset all; --",
      "acme'; select set_config('app.tenant', 'acme', false); --",
      '\\',
      '*',
    ]) {
      expect(await readAs(gateway, tenant, sql => sql.query('select 1 from registry.packs'))).toEqual([]);
      expect(await readAs(gateway, 'globex', sql => sql.query('select 1 from registry.packs'))).toEqual([]);
    }
  });
});

describe('a connection used by one tenant after another', () => {
  let db: SpecDatabase;
  beforeAll(async () => {
    db = await SpecDatabase.open();
    await fill(db, 'acme');
  });
  afterAll(() => db.close());

  const tenantLeft = async (dataSource: Awaited<ReturnType<SpecDatabase['as']>>): Promise<unknown> => {
    const rows: { tenant: string | null }[] = await dataSource.query(`select current_setting('app.tenant', true) as tenant`);
    return rows[0]?.tenant || null;
  };

  it.each<[string, (sql: { query(text: string): Promise<unknown> }) => Promise<unknown>]>([
    ['success', sql => sql.query('select 1 from registry.packs')],
    ['an error in SQL', sql => sql.query('select 1 / 0')],
    ['an error in the program', () => Promise.reject(new Error('program'))],
    ['a refused statement', sql => sql.query('delete from registry.packs')],
    ['an error nobody saw', sql => sql.query('select 1 / 0').catch(() => undefined)],
  ])('has nothing of it left after %s', async (_, work) => {
    const pool = await db.as('publisher', 1);
    await inTransaction(pool, 'acme', work).catch(() => undefined);
    expect(await tenantLeft(pool)).toBeNull();
    const seen = await inTransaction(pool, 'globex', sql => sql.query('select 1 from registry.packs'));
    expect(seen).toEqual([]);
    expect(await inTransaction(pool, null, sql => sql.query('select 1 from registry.packs'))).toEqual([]);
    expect(await inTransaction(pool, 'acme', sql => sql.query('select 1 from registry.packs'))).toHaveLength(1);
  });

  it('is replaced when the server ends it, and the request may be repeated', async () => {
    const pool = await db.as('publisher', 1);
    const admin = await db.client();
    const killed = inTransaction(pool, 'acme', async sql => {
      const [me] = await sql.query<{ pid: number }>('select pg_backend_pid() as pid');
      await admin.query('select pg_terminate_backend($1)', [me?.pid]);
      return sql.query('select 1 from registry.packs');
    });
    await expect(killed).rejects.toMatchObject({ code: 'ERR_PACK_UNAVAILABLE', retry: 'later' });
    expect(await inTransaction(pool, 'globex', sql => sql.query('select 1 from registry.packs'))).toEqual([]);
    expect(await inTransaction(pool, 'acme', sql => sql.query('select 1 from registry.packs'))).toHaveLength(1);
  });

  it('commits nothing of a transaction that failed', async () => {
    const publisher = await db.as('publisher', 1);
    const failing = unitOfWorkOn(publisher).run('acme', async tx => {
      await tx.packs.lockPack('acme', 'acme.never', 'task');
      throw new Error('after the insert');
    });
    await expect(failing).rejects.toThrow('after the insert');
    expect(await inTransaction(publisher, 'acme', sql => sql.query(`select 1 from registry.packs where pack_id = 'acme.never'`))).toEqual(
      [],
    );
  });

  it('writes nothing in a read', async () => {
    const gateway = await db.as('publisher', 1);
    const writing = readAs(gateway, 'acme', sql =>
      sql.query(`insert into registry.packs (tenant, pack_id, type) values ('acme', 'w', 'task')`),
    );
    await expect(writing).rejects.toMatchObject({ code: '25006' });
  });
});

describe('what is shared with another tenant', () => {
  let db: SpecDatabase;
  let reads: PostgresPackReadModel;
  let gateway: Awaited<ReturnType<SpecDatabase['as']>>;
  beforeAll(async () => {
    db = await SpecDatabase.open();
    const publisher = await db.as('publisher');
    gateway = await db.as('api-gateway');
    reads = new PostgresPackReadModel(gateway);
    await setUpTrust(publisher, 'acme');
    await publish(publisher, { version: '1.0.0', tenantVisibility: ['globex'], channel: 'stable' });
    await publish(publisher, { version: '1.1.0' });
    await publish(publisher, { version: '1.2.0', tenantVisibility: ['initech'], channel: 'beta' });
    await publish(publisher, { packId: 'acme.secret' });
    await publish(publisher, { packId: 'acme.open', tenantVisibility: ['*'] });
    await publish(publisher, { tenant: 'globex', packId: 'globex.own' });
  });
  afterAll(() => db.close());
  const page = { limit: 50 };
  const rowsSeenBy = async (tenant: string, table: string, what: string) => {
    const rows = await readAs(gateway, tenant, sql =>
      sql.query<{ what: string }>(`select ${what} as what from registry.${table} where tenant = 'acme' order by 1`),
    );
    return rows.map(row => row.what);
  };

  it('is the version and nothing beside it', async () => {
    const at = { tenant: 'globex', namespace: 'acme' };
    expect((await reads.listPacks(at, page)).packs.map(pack => `${pack.packId} ${pack.version}`)).toEqual([
      'acme.hello 1.0.0',
      'acme.open 1.0.0',
    ]);
    expect((await reads.listVersions(at, 'acme.hello', page))?.versions.map(one => one.version)).toEqual(['1.0.0']);
    expect((await reads.findPack(at, 'acme.hello'))?.pack.channels).toEqual({ stable: '1.0.0' });
    expect((await reads.findVersion(at, 'acme.hello', '1.0.0'))?.view).toMatchObject({
      channels: ['stable'],
      signatures: [{ keyName: 'release' }],
      verdict: { outcome: 'accepted' },
    });
    expect(await reads.findVersion(at, 'acme.hello', '1.1.0')).toBeUndefined();
    expect(await reads.findVersion(at, 'acme.hello', '1.2.0')).toBeUndefined();
    expect(await reads.findPack(at, 'acme.secret')).toBeUndefined();
    expect(await reads.listVersions(at, 'acme.secret', page)).toBeUndefined();
  });

  it('is in every table what hangs on a visible version', async () => {
    expect(await rowsSeenBy('globex', 'pack_versions', `pack_id || ' ' || version`)).toEqual(['acme.hello 1.0.0', 'acme.open 1.0.0']);
    expect(await rowsSeenBy('globex', 'signatures', `pack_id || ' ' || version`)).toEqual(['acme.hello 1.0.0', 'acme.open 1.0.0']);
    expect(await rowsSeenBy('globex', 'verdicts', 'hash')).toHaveLength(2);
    expect(await rowsSeenBy('globex', 'channel_heads', `pack_id || ' ' || channel`)).toEqual(['acme.hello stable', 'acme.open edge']);
    expect(await rowsSeenBy('globex', 'packs', 'pack_id')).toEqual(['acme.hello', 'acme.open']);
    expect(await rowsSeenBy('initech', 'channel_heads', `pack_id || ' ' || channel`)).toEqual(['acme.hello beta', 'acme.open edge']);
  });

  it('with everybody is seen by every tenant, and by nobody without one', async () => {
    const at = { tenant: 'umbrella', namespace: 'acme' };
    expect((await reads.listPacks(at, page)).packs.map(pack => pack.packId)).toEqual(['acme.open']);
    for (const table of ['packs', 'pack_versions', 'signatures', 'verdicts', 'channel_heads', 'tenants', 'policies']) {
      expect([table, await rowsSeenBy('', table, 'tenant')]).toEqual([table, []]);
    }
  });

  it('is never found in one’s own namespace', async () => {
    const own = { tenant: 'globex', namespace: 'globex' };
    expect((await reads.listPacks(own, page)).packs.map(pack => pack.packId)).toEqual(['globex.own']);
    expect(await reads.findPack(own, 'acme.open')).toBeUndefined();
    expect(await reads.findVersion(own, 'acme.open', '1.0.0')).toBeUndefined();
  });

  it('can be read and not changed', async () => {
    const publisher = await db.as('publisher');
    const note = { at: AT, actor: 'user:mallory', reason: null, replacement: null };
    await unitOfWorkOn(publisher).run('globex', tx => tx.packs.deprecate('acme', 'acme.open', '1.0.0', note));
    expect((await reads.findVersion({ tenant: 'acme', namespace: 'acme' }, 'acme.open', '1.0.0'))?.view.deprecated).toBe(false);
  });

  it('holds no part of another tenant’s audit log', async () => {
    const audit = new PostgresAuditReadModel(gateway);
    await fill(db, 'initech');
    expect(await audit.entries('initech', { after: 0, limit: 10 })).toHaveLength(1);
    expect(await audit.entries('acme', { after: 0, limit: 10 })).toEqual([]);
    expect(await audit.head('acme')).toBe(0);
  });
});
