import { randomBytes } from 'node:crypto';
import { setting } from '@packs/config';
import { ENV_PREFIX, type ProcessName } from '@packs/contracts';
import { Client } from 'pg';

/** Migrated once for the whole jest run, by its global set-up. */
const TEMPLATE = 'packs_template';

export interface TestDatabase {
  readonly name: string;
  /** A superuser's: for what specs have to look at behind the product's back. */
  readonly adminUrl: string;
  /** With the login role of a process that has a database, or that of whoever runs verdicts again. */
  urlOf(process: ProcessName | 'auditor'): string;
  /** Takes every row away: much quicker than another database. */
  empty(): Promise<void>;
  drop(): Promise<void>;
}

/** Without foreign keys' triggers, so that the order of tables does not matter. */
const EMPTY = `
begin;
set local session_replication_role = replica;
do $$ declare one record; begin
  for one in select schemaname, tablename from pg_tables where schemaname in ('content', 'registry', 'compliance') loop
    execute format('delete from %I.%I', one.schemaname, one.tablename);
  end loop;
end $$;
commit`;

/** A database of one's own on the real PostgreSQL of this jest run: with every schema, or `blank`. */
export async function testDatabase(content: 'migrated' | 'blank' = 'migrated'): Promise<TestDatabase> {
  const name = `spec_${randomBytes(8).toString('hex')}`;
  const create = content === 'migrated' ? [`create database ${name} template ${TEMPLATE}`, ...accessOf(name)] : [`create database ${name}`];
  await asAdmin(create);
  return {
    name,
    adminUrl: urlIn(name),
    urlOf: process => urlIn(name, { user: roleOf(process), password: required('TEST_DATABASE_PASSWORD') }),
    empty: () => asAdmin([EMPTY], urlIn(name)),
    drop: () => asAdmin([`drop database ${name} with (force)`]),
  };
}

/** What `migrate` grants on the database itself; a copy does not take it over from its template. */
function accessOf(name: string): string[] {
  const roles = (['api-gateway', 'publisher', 'mirror-worker', 'parity-worker', 'compliance', 'auditor'] as const).map(roleOf);
  return [`revoke all on database ${name} from public`, `grant connect on database ${name} to ${roles.join(', ')}`];
}

function roleOf(process: ProcessName | 'auditor'): string {
  return process === 'auditor' ? 'packs_auditor' : `packs_${ENV_PREFIX[process].toLowerCase()}`;
}

function urlIn(database: string, login?: { user: string; password: string }): string {
  const url = new URL(required('TEST_DATABASE_ADMIN_URL'));
  url.pathname = `/${database}`;
  if (login) Object.assign(url, { username: login.user, password: login.password });
  return url.href;
}

async function asAdmin(statements: readonly string[], url = required('TEST_DATABASE_ADMIN_URL')): Promise<void> {
  const client = new Client({ connectionString: url });
  await client.connect();
  try {
    for (const statement of statements) await client.query(statement);
  } finally {
    await client.end();
  }
}

function required(name: string): string {
  const value = setting(name);
  if (!value) throw new Error(`${name} is not set: specs that use PostgreSQL are named *.int.spec.ts and run in jest's project int`);
  return value;
}
