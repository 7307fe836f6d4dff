import { createHash, createHmac, pbkdf2Sync, randomBytes } from 'node:crypto';

/** Owns every schema and table; nobody logs in as it. */
export const MIGRATE_ROLE = 'packs_migrate';

/** The login role each process with a database uses. None is an owner, a superuser or exempt from row-level security. */
export const LOGIN_ROLES = {
  'api-gateway': 'packs_gateway',
  publisher: 'packs_publisher',
  'mirror-worker': 'packs_mirror',
  'parity-worker': 'packs_parity',
  compliance: 'packs_compliance',
} as const;
export type LoginRoleName = (typeof LOGIN_ROLES)[keyof typeof LOGIN_ROLES];

/** Runs verdicts again: it reads, and is no process of the registry. It may log in only where somebody gave it a password. */
export const AUDITOR_ROLE = 'packs_auditor' as const;

export interface LoginRole {
  readonly name: LoginRoleName | typeof AUDITOR_ROLE;
  readonly password: string;
}

/** The login role that a `*_DATABASE_URL` names. @throws Error when its user is not the expected role or it has no password */
export function loginRoleOf(url: string, expected: LoginRole['name']): LoginRole {
  const parsed = new URL(url);
  const name = decodeURIComponent(parsed.username);
  if (name !== expected) throw new Error(`the user of this database URL must be ${expected}, not ${name || 'absent'}`);
  if (!parsed.password) throw new Error(`the database URL of ${expected} has no password`);
  return { name: expected, password: decodeURIComponent(parsed.password) };
}

const ATTRIBUTES = 'nosuperuser nocreatedb nocreaterole noreplication nobypassrls';

export async function ensureRoles(query: (text: string) => Promise<unknown>, logins: readonly LoginRole[]): Promise<void> {
  await query(createIfMissing(MIGRATE_ROLE, `nologin ${ATTRIBUTES}`));
  await query(`grant ${MIGRATE_ROLE} to current_user`);
  await query(`do $$ begin execute format('grant create, connect on database %I to ${MIGRATE_ROLE}', current_database()); end $$`);
  await query(`do $$ begin execute format('revoke all on database %I from public', current_database()); end $$`);
  for (const name of [...Object.values(LOGIN_ROLES), AUDITOR_ROLE]) {
    await query(createIfMissing(name, `nologin ${ATTRIBUTES}`));
    await query(`do $$ begin execute format('grant connect on database %I to ${name}', current_database()); end $$`);
  }
  for (const login of logins) await query(`alter role ${login.name} login ${ATTRIBUTES} password '${scramVerifier(login.password)}'`);
}

function createIfMissing(role: string, attributes: string): string {
  return `do $$ begin
    if not exists (select from pg_roles where rolname = '${role}') then create role ${role} ${attributes}; end if;
  exception when duplicate_object or unique_violation then null; end $$`;
}

/** What PostgreSQL stores for a password (RFC 5803), made here so that the password itself is in no statement or server log. */
function scramVerifier(password: string): string {
  const iterations = 4096;
  const salt = randomBytes(16);
  const salted = pbkdf2Sync(password.normalize('NFKC'), salt, iterations, 32, 'sha256');
  const hmac = (key: Buffer, text: string): Buffer => createHmac('sha256', key).update(text).digest();
  const storedKey = createHash('sha256').update(hmac(salted, 'Client Key')).digest();
  const serverKey = hmac(salted, 'Server Key');
  return `SCRAM-SHA-256$${iterations}:${salt.toString('base64')}$${storedKey.toString('base64')}:${serverKey.toString('base64')}`;
}
