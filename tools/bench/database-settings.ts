import type { Client } from 'pg';

const NAMES = ['server_version', 'fsync', 'synchronous_commit', 'full_page_writes', 'wal_sync_method', 'data_directory'];

/** What decides whether a commit is durable. */
export async function databaseSettings(client: Client): Promise<Readonly<Record<string, string>>> {
  const { rows } = await client.query<{ name: string; setting: string }>('select name, setting from pg_settings where name = any($1)', [
    NAMES,
  ]);
  return Object.fromEntries(rows.map(({ name, setting }) => [name, setting]));
}
