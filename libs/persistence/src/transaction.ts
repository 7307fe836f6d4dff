import { isNativeError } from 'node:util/types';
import { DomainError } from '@packs/domain';
import type { DataSource } from 'typeorm';

/** A parameter as `pg` takes it. */
export type SqlValue =
  | string
  | number
  | boolean
  | null
  | Buffer
  | Date
  | readonly (string | null)[]
  | readonly number[]
  | readonly boolean[]
  | readonly Buffer[];

/** Statements inside one open transaction. They run in the order in which they are given, and travel together until somebody waits for an answer. */
export interface Sql {
  query<Row>(text: string, values?: readonly SqlValue[]): Promise<Row[]>;
  /** A statement without an answer. When it fails, so does the transaction, with its error. */
  send(text: string, values?: readonly SqlValue[]): void;
}

interface Client {
  query(statement: string | { name: string; text: string; values?: readonly SqlValue[] }): Promise<{ rows: unknown[] }>;
}

/** A name a statement text: the server parses and plans it once a connection. The texts are those of the stores, so there are few. */
const names = new Map<string, string>();

function nameOf(text: string): string {
  let name = names.get(text);
  if (name === undefined) names.set(text, (name = `s${names.size}`));
  return name;
}

/**
 * Runs `work` in one transaction as `tenant`. The tenant is set for this transaction alone, so nothing of it is left on the
 * connection, whether it commits or fails. `null` names no tenant: then row-level security shows only what named policies allow.
 */
export async function inTransaction<T>(
  dataSource: DataSource,
  tenant: string | null,
  work: (sql: Sql) => Promise<T>,
  mode: 'read write' | 'read only' = 'read write',
): Promise<T> {
  const runner = dataSource.createQueryRunner();
  try {
    const client = (await connect(() => runner.connect())) as Client;
    const sent = new SentStatements(client);
    // One simple query, which travels with the first statement; tenants have been parsed to [a-z0-9._-].
    sent.add(`begin ${mode}; select set_config('app.tenant', '${literal(tenant ?? '')}', true)`);
    try {
      const result = await work({
        query: async (text, values) => (await client.query({ name: nameOf(text), text, values })).rows as never,
        send: (text, values) => sent.add({ name: nameOf(text), text, values }),
      });
      // Were it sent along, the server would commit for a process that has died meanwhile.
      await sent.done();
      await client.query('commit');
      return result;
    } catch (error) {
      await client.query('rollback');
      // What comes after a statement that failed is refused for no reason of its own.
      sent.requireDone();
      throw error;
    }
  } catch (error) {
    throw unavailableWhenDown(error);
  } finally {
    await runner.release();
  }
}

/** Statements whose answers nobody waits for by itself. All have come once that of a later statement has. */
class SentStatements {
  private failure: { readonly cause: unknown } | undefined;
  private last: Promise<unknown> = Promise.resolve();

  constructor(private readonly client: Client) {}

  add(statement: Parameters<Client['query']>[0]): void {
    this.last = this.client.query(statement).catch((cause: unknown) => (this.failure ??= { cause }));
  }

  /** @throws as `requireDone` */
  async done(): Promise<void> {
    await this.last;
    this.requireDone();
  }

  /** @throws what the first of them that failed failed with */
  requireDone(): void {
    if (this.failure) throw this.failure.cause;
  }
}

/**
 * One read in one round trip, by a function of the database that sets the tenant, its first argument, for the statement's own transaction:
 * what is read on every request of a busy door is not worth two trips more.
 */
export function callAs<Row>(dataSource: DataSource, text: string, tenant: string, values: readonly SqlValue[]): Promise<Row[]> {
  return callEach(dataSource, text, [tenant, ...values]);
}

/**
 * One statement in one round trip, that sets no tenant: by a function that answers several callers, each of its answers read under the
 * tenant that it is for, or of a table that is no tenant's.
 */
export async function callEach<Row>(dataSource: DataSource, text: string, values: readonly SqlValue[]): Promise<Row[]> {
  const runner = dataSource.createQueryRunner();
  try {
    const client = (await connect(() => runner.connect())) as Client;
    return (await client.query({ name: nameOf(text), text, values })).rows as Row[];
  } catch (error) {
    throw unavailableWhenDown(error);
  } finally {
    await runner.release();
  }
}

/** One read-only transaction as `tenant`. */
export function readAs<T>(dataSource: DataSource, tenant: string, work: (sql: Sql) => Promise<T>): Promise<T> {
  return inTransaction(dataSource, tenant, work, 'read only');
}

function literal(tenant: string): string {
  return tenant.replaceAll("'", "''");
}

async function connect<T>(open: () => Promise<T>): Promise<T> {
  try {
    return await open();
  } catch (cause) {
    throw new DomainError('ERR_PACK_UNAVAILABLE', 'the database is not available', { retry: 'later', cause });
  }
}

/** Lost connections, a server that is going down or coming up, and a statement that had no time left: the same request may succeed later. */
function unavailableWhenDown(error: unknown): unknown {
  if (error instanceof DomainError || !isNativeError(error)) return error;
  const code = 'code' in error ? String(error.code) : '';
  const lost =
    /^(08|57P0|57014|53)/.test(code) ||
    /^(ECONN|EPIPE)/.test(code) ||
    /connection terminated|client has encountered a connection error/i.test(error.message);
  return lost ? new DomainError('ERR_PACK_UNAVAILABLE', 'the database is not available', { retry: 'later', cause: error }) : error;
}
