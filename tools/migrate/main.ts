import { ENV_PREFIX, type ProcessName } from '@packs/contracts';
import { AUDITOR_ROLE, LOGIN_ROLES, loginRoleOf, migrate, type LoginRole } from '@packs/persistence';
import { setting } from '@packs/config';

/**
 * Makes roles, schemas and tables: `DATABASE_ADMIN_URL` and the `*_DATABASE_URL` of each process that has a database. With `AUDITOR_DATABASE_URL` the
 * auditor's role may log in as well.
 */
async function main(): Promise<void> {
  const adminUrl = setting('DATABASE_ADMIN_URL');
  if (!adminUrl) throw new Error('DATABASE_ADMIN_URL is not set: the URL of a PostgreSQL role that may create roles and schemas');
  const logins: LoginRole[] = [];
  for (const [process, role] of Object.entries(LOGIN_ROLES)) {
    const name = `${ENV_PREFIX[process as ProcessName]}_DATABASE_URL`;
    const url = setting(name);
    if (!url) throw new Error(`${name} is not set: the URL process ${process} will use, with user ${role} and its password`);
    logins.push(loginRoleOf(url, role));
  }
  const auditorUrl = setting('AUDITOR_DATABASE_URL');
  if (auditorUrl) logins.push(loginRoleOf(auditorUrl, AUDITOR_ROLE));
  const { applied } = await migrate(adminUrl, logins);
  process.stdout.write(applied.length > 0 ? `applied ${applied.join(', ')}\n` : 'the database is up to date\n');
}

main().catch((error: unknown) => {
  process.stderr.write(`migrate: ${error instanceof Error ? error.message : String(error)}\n`);
  process.exitCode = 1;
});
