import { ReadChanges, type ReadChange, type ReadChangesSeen } from '@packs/ports';
import { Client } from 'pg';

/** Where many things change at once it is cheaper to forget everything. */
const MOST = 1_000;
/** A server that does not answer for so long is taken for gone. */
const ANSWER_MS = 5_000;
const EVERYTHING: ReadChange = { tenant: null, repository: null, reference: null };
const STATEMENT = { name: 'read_changes_since', text: 'select registry.read_changes_since($1, $2)', rowMode: 'array' };

type Names = [tenant: string | null, repository: string | null, reference: string | null];
/** Null: nothing was committed. */
type Row = [seen: [at: string, changes: Names[] | null] | null];

/**
 * On one connection for as long as it holds: another could be to a server that was restored, or that another one replaced, whose transactions are
 * numbered otherwise.
 */
export class PostgresReadChanges extends ReadChanges {
  constructor(
    private readonly url: string,
    private readonly applicationName: string,
  ) {
    super();
  }

  async watch(): Promise<ReadChangesSeen> {
    const client = new Client({
      connectionString: this.url,
      application_name: this.applicationName,
      connectionTimeoutMillis: ANSWER_MS,
      query_timeout: ANSWER_MS,
      keepAlive: true,
    });
    const seen = new Seen(client);
    try {
      await client.connect();
      await seen.next();
      return seen;
    } catch (error) {
      seen.close();
      throw error;
    }
  }
}

class Seen implements ReadChangesSeen {
  private since: string | null = null;
  private lost: Error | undefined;

  constructor(private readonly client: Client) {
    client.on('error', error => (this.lost = error));
    client.on('end', () => (this.lost ??= new Error('the connection has ended')));
  }

  async next(): Promise<readonly ReadChange[]> {
    if (this.lost) throw this.lost;
    try {
      const { rows } = await this.client.query<Row>({ ...STATEMENT, values: [this.since, MOST + 1] });
      const [row] = rows;
      if (!row) throw new Error('the server says nothing of its changes');
      const [at, changes] = row[0] ?? [this.since, null];
      this.since = at;
      if (!changes) return [];
      if (changes.length > MOST) return [EVERYTHING];
      return changes.map(([tenant, repository, reference]) => ({ tenant, repository, reference }));
    } catch (error) {
      this.lost = error as Error;
      throw error;
    }
  }

  close(): void {
    this.lost ??= new Error('nobody watches any more');
    // What is under way is of no interest to anybody.
    void this.client.end().catch(() => undefined);
  }
}
