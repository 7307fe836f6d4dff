import { ENV_PREFIX, PROCESSES, type ProcessName } from '@packs/contracts';
import { loginRole, ownsDatabase } from './app-process';
import type { Environment } from './environment';

/** The processes that log in to PostgreSQL. */
export const DATABASE_PROCESSES: readonly ProcessName[] = PROCESSES.filter(ownsDatabase);

/** The settings that name each process's login, as its user gave them. */
export function givenDatabaseUrls(environment: Environment): Record<string, string> {
  const given = DATABASE_PROCESSES.map(name => [name, environment[`${ENV_PREFIX[name]}_DATABASE_URL`]] as const);
  return Object.fromEntries(given.filter((entry): entry is [ProcessName, string] => Boolean(entry[1])));
}

/** A login for every process on the server of `adminUrl`; `migrate` makes the roles from them. */
export function databaseUrls(
  adminUrl: string,
  passwords: Readonly<Record<string, string>>,
  environment: Environment,
): Record<string, string> {
  const made = DATABASE_PROCESSES.map(name => [name, loginUrl(adminUrl, loginRole(name), passwords[name] ?? '')]);
  return { ...Object.fromEntries(made), ...givenDatabaseUrls(environment) };
}

export function loginUrl(adminUrl: string, user: string, password: string): string {
  const url = new URL(adminUrl);
  url.username = user;
  url.password = password;
  return url.href;
}
