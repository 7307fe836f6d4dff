import { DataSource } from 'typeorm';

export interface DatabaseOptions {
  readonly url: string;
  /** Shown in pg_stat_activity. */
  readonly applicationName: string;
  readonly poolSize?: number;
}

/** Connections of one process. Statements are SQL in the stores; TypeORM gives the pool, transactions and migrations. */
export function createDataSource(options: DatabaseOptions): DataSource {
  return new DataSource({
    type: 'postgres',
    url: options.url,
    applicationName: options.applicationName,
    poolSize: options.poolSize ?? 10,
    connectTimeoutMS: 5_000,
    entities: [],
    // An idle connection that the server closes must not end the process.
    poolErrorHandler: () => undefined,
    // Statements of a transaction are sent without waiting for the answers of those before them.
    extra: { statement_timeout: 30_000, idle_in_transaction_session_timeout: 30_000, pipeline: true },
  });
}

/**
 * The promise that acknowledged versions survive a crash rests on these settings.
 * @throws Error naming the setting that is not on
 */
export async function assertDurable(dataSource: DataSource): Promise<void> {
  for (const setting of ['fsync', 'full_page_writes', 'synchronous_commit']) {
    const rows: Record<string, string>[] = await dataSource.query(`show ${setting}`);
    const value = rows[0]?.[setting];
    if (value === 'off') throw new Error(`PostgreSQL runs with ${setting} = off: acknowledged versions could be lost. Turn it on.`);
  }
}
