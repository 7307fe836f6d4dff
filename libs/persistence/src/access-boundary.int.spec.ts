import { Client } from 'pg';
import { SpecDatabase } from './persistence.fixture';
import type { LOGIN_ROLES } from './roles';

type Process = keyof typeof LOGIN_ROLES;

/** What a role may do with a table; an update by its columns. */
interface Access {
  readonly select?: true;
  readonly insert?: true;
  readonly update?: readonly string[];
}

const READ: Access = { select: true };
const ADD: Access = { select: true, insert: true };

/** Architecture §2, table by table. What is not here is refused: every delete and truncate, and every other table. */
const ALLOWED: Readonly<Record<Process, Readonly<Record<string, Access>>>> = {
  'api-gateway': {
    'content.blobs': ADD,
    'registry.packs': READ,
    'registry.pack_versions': READ,
    'registry.verdicts': READ,
    'registry.signatures': READ,
    'registry.channel_heads': READ,
    'registry.tenants': READ,
    'registry.policies': READ,
    'compliance.audit_log': READ,
    'compliance.audit_heads': READ,
  },
  publisher: {
    'content.blobs': ADD,
    'registry.packs': { ...ADD, update: ['created_at'] },
    'registry.manifests': ADD,
    'registry.manifest_blobs': ADD,
    'registry.verdicts': ADD,
    'registry.pack_versions': { ...ADD, update: ['deprecated_at', 'deprecated_by', 'deprecation_reason', 'replacement'] },
    'registry.signatures': ADD,
    'registry.channel_heads': { ...ADD, update: ['moved_at', 'moved_by', 'version'] },
    'registry.tenants': { ...ADD, update: ['share_with', 'trust_digest', 'trust_epoch'] },
    'registry.policies': { ...ADD, update: ['active'] },
    'registry.idempotency_keys': ADD,
    'registry.outbox': { ...ADD, update: ['sent_at'] },
  },
  compliance: {
    'compliance.audit_log': ADD,
    'compliance.audit_heads': { ...ADD, update: ['seq'] },
    'compliance.inbox': ADD,
    'compliance.dead_letters': { ...ADD, update: ['replayed_at'] },
  },
};

const PROCESSES = Object.keys(ALLOWED) as Process[];
const REFUSED = '42501';

/** The server's answer: undefined when it does it. Rolled back in any case. */
async function codeOf(client: Client, statement: string): Promise<string | undefined> {
  await client.query('begin');
  try {
    await client.query(statement);
    return undefined;
  } catch (error) {
    return (error as { code?: string }).code;
  } finally {
    await client.query('rollback');
  }
}

describe('access to tables', () => {
  let db: SpecDatabase;
  let columns: ReadonlyMap<string, readonly string[]>;
  beforeAll(async () => {
    db = await SpecDatabase.open();
    const { rows } = await (
      await db.client()
    ).query<{ name: string; columns: string[] }>(
      `select table_schema || '.' || table_name as name, array_agg(column_name::text order by column_name) as columns
       from information_schema.columns where table_schema not in ('pg_catalog', 'information_schema') group by 1`,
    );
    columns = new Map(rows.map(row => [row.name, row.columns]));
  });
  afterAll(() => db.close());

  it('is listed for tables that exist', () => {
    const named = Object.values(ALLOWED).flatMap(Object.keys);
    expect(named.filter(name => !columns.has(name))).toEqual([]);
    expect(columns.size).toBeGreaterThan(15);
  });

  it.each(PROCESSES)('of %s is what the architecture gives it, and no more', async process => {
    const client = await db.client(process);
    const found: Record<string, unknown> = {};
    for (const [table, names] of columns) {
      // `explain` checks permissions and does nothing.
      const may = async (statement: string) => {
        const code = await codeOf(client, statement);
        expect([undefined, REFUSED]).toContain(code);
        return code === undefined;
      };
      const update: string[] = [];
      for (const column of names) if (await may(`explain update ${table} set ${column} = default`)) update.push(column);
      const access = {
        ...((await may(`explain select from ${table}`)) && { select: true }),
        ...((await may(`explain insert into ${table} default values`)) && { insert: true }),
        ...(update.length > 0 && { update }),
        ...((await may(`explain delete from ${table}`)) && { delete: true }),
        ...((await may(`truncate ${table}`)) && { truncate: true }),
      };
      if (Object.keys(access).length > 0) found[table] = access;
    }
    expect(found).toEqual(ALLOWED[process]);
  });

  it.each(PROCESSES)('of %s cannot be widened by itself', async process => {
    const client = await db.client(process);
    for (const statement of [
      'create table registry.mine ()',
      'create table public.mine ()',
      'create temporary table mine ()',
      'create schema mine',
      'create role mine',
      'set role packs_migrate',
      'set session authorization postgres',
      'alter role current_user bypassrls',
      'alter table registry.pack_versions disable row level security',
      'alter table compliance.audit_log no force row level security',
      'drop policy own on registry.pack_versions',
      'drop table compliance.audit_log',
      'create or replace function registry.current_tenant() returns text language sql as $$ select $1::text $$',
      "copy (select 1) to program 'true'",
      "select pg_read_file('postgresql.conf')",
      'create extension dblink',
    ]) {
      expect([statement, await codeOf(client, statement)]).toEqual([statement, REFUSED]);
    }
  });

  it.each(PROCESSES)('of %s cannot be had by switching row-level security off', async process => {
    const client = await db.client(process);
    const table = process === 'compliance' ? 'compliance.audit_log' : 'registry.pack_versions';
    expect(await codeOf(client, `set local row_security = off; select 1 from ${table}`)).toBe(REFUSED);
  });

  it('needs the password', async () => {
    const url = new URL(db.database.urlOf('publisher'));
    url.password = 'wrong';
    await expect(new Client({ connectionString: url.href }).connect()).rejects.toMatchObject({ code: '28P01' });
  });
});
