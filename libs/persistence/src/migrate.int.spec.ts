import { SpecDatabase } from './persistence.fixture';
import { LOGIN_ROLES, loginRoleOf, MIGRATE_ROLE, type LoginRole } from './roles';
import { migrate } from './migrate';

describe('migrate', () => {
  let db: SpecDatabase;
  let logins: LoginRole[];
  beforeEach(async () => {
    db = await SpecDatabase.open('blank');
    logins = Object.entries(LOGIN_ROLES).map(([process, role]) =>
      loginRoleOf(db.database.urlOf(process as keyof typeof LOGIN_ROLES), role),
    );
  });
  afterEach(() => db.close());
  const run = (now?: Date) => migrate(db.database.adminUrl, logins, now);

  async function tables(): Promise<string[]> {
    const { rows } = await (
      await db.client()
    ).query<{ name: string }>(
      `select schemaname || '.' || tablename as name from pg_tables where schemaname not in ('pg_catalog', 'information_schema') order by 1`,
    );
    return rows.map(row => row.name);
  }

  it('makes everything once: a second run changes nothing', async () => {
    expect((await run()).applied).not.toEqual([]);
    const made = await tables();
    expect(made).toEqual(expect.arrayContaining(['content.blobs', 'registry.pack_versions', 'compliance.audit_log', 'migrate.applied']));
    expect((await run()).applied).toEqual([]);
    expect(await tables()).toEqual(made);
  });

  it('may run twice at the same time', async () => {
    const applied = (await Promise.all([run(), run(), run()])).map(result => result.applied.length);
    expect(applied.filter(count => count > 0)).toHaveLength(1);
    await expect((await db.as('publisher')).query('select 1 from registry.packs')).resolves.toEqual([]);
  });

  it('lets the processes log in and nobody else', async () => {
    await run();
    for (const process of Object.keys(LOGIN_ROLES) as (keyof typeof LOGIN_ROLES)[]) {
      const { rows } = await (await db.client(process)).query<{ user: string }>('select current_user as user');
      expect(rows).toEqual([{ user: LOGIN_ROLES[process] }]);
    }
    const { rows } = await (
      await db.client()
    ).query(
      `select has_database_privilege('public', current_database(), 'connect') as connect, has_database_privilege('public', current_database(), 'temp') as temp`,
    );
    expect(rows).toEqual([{ connect: false, temp: false }]);
  });

  it('makes outbox partitions ahead, and keeps events beyond them', async () => {
    await run(new Date('2026-01-17T08:00:00Z'));
    const made = (await tables()).filter(name => name.startsWith('registry.outbox_'));
    expect(made).toContain('registry.outbox_2026_01');
    expect(made).toContain('registry.outbox_2027_01');
    const insert = (at: string) =>
      `insert into registry.outbox (event_id, tenant, subject, payload, created_at) values ('evt', 'acme', 's', '', '${at}') returning tableoid::regclass::text as name`;
    const admin = await db.client();
    const places = [];
    for (const at of ['2026-12-31T23:59:59.999Z', '2027-02-01', '2031-07-01'])
      places.push((await admin.query<{ name: string }>(insert(at))).rows[0]?.name);
    expect(places).toEqual(['registry.outbox_2026_12', 'registry.outbox_default', 'registry.outbox_default']);
    // A month that began in the default partition stays there; later ones get their own.
    await run(new Date('2027-02-15T08:00:00Z'));
    const later = await tables();
    expect(later).not.toContain('registry.outbox_2027_02');
    expect(later).toContain('registry.outbox_2028_02');
  });

  it('puts no password into a statement', async () => {
    const statements: string[] = [];
    const { ensureRoles } = await import('./roles');
    await ensureRoles(async text => void statements.push(text), [{ name: 'packs_gateway', password: 'correct horse' }]);
    expect(statements.join('\n')).toContain('SCRAM-SHA-256$4096:');
    expect(statements.join('\n')).not.toContain('horse');
  });
});

describe('roles', () => {
  let db: SpecDatabase;
  beforeAll(async () => {
    db = await SpecDatabase.open();
  });
  afterAll(() => db.close());
  const names = [...Object.values(LOGIN_ROLES), MIGRATE_ROLE];

  it('have no power over the server', async () => {
    const { rows } = await (
      await db.client()
    ).query(
      `select rolname, rolsuper, rolbypassrls, rolcreaterole, rolcreatedb, rolreplication, rolcanlogin from pg_roles where rolname = any($1)`,
      [names],
    );
    const powerless = { rolsuper: false, rolbypassrls: false, rolcreaterole: false, rolcreatedb: false, rolreplication: false };
    expect(rows).toHaveLength(names.length);
    expect(rows).toEqual(expect.arrayContaining(names.map(rolname => ({ rolname, ...powerless, rolcanlogin: rolname !== MIGRATE_ROLE }))));
  });

  it('are members of nothing', async () => {
    const { rows } = await (
      await db.client()
    ).query(`select 1 from pg_auth_members m join pg_roles r on r.oid = m.member where r.rolname = any($1)`, [names]);
    expect(rows).toEqual([]);
  });

  it('own nothing but for the migrate role, which owns it all', async () => {
    const { rows } = await (
      await db.client()
    ).query<{ owner: string }>(
      `select distinct pg_get_userbyid(c.relowner) as owner from pg_class c join pg_namespace n on n.oid = c.relnamespace
         where n.nspname in ('content', 'registry', 'compliance')
       union select distinct pg_get_userbyid(nspowner) from pg_namespace where nspname in ('content', 'registry', 'compliance')
       union select distinct pg_get_userbyid(p.proowner) from pg_proc p join pg_namespace n on n.oid = p.pronamespace
         where n.nspname in ('content', 'registry', 'compliance')`,
    );
    expect(rows).toEqual([{ owner: MIGRATE_ROLE }]);
  });
});

describe('loginRoleOf', () => {
  it('takes user and password from a URL', () => {
    expect(loginRoleOf('postgresql://packs_gateway:p%40ss@db/packs', 'packs_gateway')).toEqual({ name: 'packs_gateway', password: 'p@ss' });
  });

  it.each([
    ['postgresql://postgres:x@db/packs', 'must be packs_gateway, not postgres'],
    ['postgresql://db/packs', 'must be packs_gateway, not absent'],
    ['postgresql://packs_gateway@db/packs', 'has no password'],
  ])('refuses %s', (url, message) => {
    expect(() => loginRoleOf(url, 'packs_gateway')).toThrow(message);
  });
});
