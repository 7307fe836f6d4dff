import { eventually } from '@packs/testing';
import { Client } from 'pg';
import type { Registry } from './registry';

/** Holds up whoever needs what `statement` locks while `work` runs. */
export async function whileLocked<T>(registry: Registry, statement: string, values: readonly string[], work: () => Promise<T>): Promise<T> {
  const holder = new Client({ connectionString: registry.facts.databaseAdminUrl });
  await holder.connect();
  try {
    await holder.query('begin');
    await holder.query(statement, [...values]);
    return await work();
  } finally {
    await holder.query('rollback');
    await holder.end();
  }
}

/** Until a session of the process waits for a lock, with a statement that has nothing of `but`: it stands at that point, and stands still. */
export function waitsForLock(registry: Registry, process: string, statements: { readonly but?: string } = {}): Promise<void> {
  return eventually(async () => {
    const waiting = await registry.sql(
      `select 1 from pg_stat_activity where application_name = $1 and wait_event_type = 'Lock' and ($2 = '' or strpos(query, $2) = 0)`,
      [process, statements.but ?? ''],
    );
    expect(waiting).not.toEqual([]);
  });
}
