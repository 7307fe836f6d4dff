import { Client } from 'pg';
import { databaseSettings } from './database-settings';

/** Every table in which one publish leaves a row or changes one. */
const TABLES = [
  'content.blobs',
  'registry.packs',
  'registry.verdicts',
  'registry.manifests',
  'registry.manifest_blobs',
  'registry.pack_versions',
  'registry.signatures',
  'registry.channel_heads',
  'registry.outbox',
] as const;

/**
 * The rows of one publish in one statement and one commit: copies of the rows that a publish of the product has left, under other keys, into
 * tables with the same columns and indexes, without row-level security and foreign keys.
 */
export class CommitFloor {
  private constructor(
    private readonly client: Client,
    private readonly text: string,
    private readonly templates: readonly string[],
    readonly rowCount: number,
  ) {}

  /** @throws Error when the version is not there */
  static async open(adminUrl: string, packId: string, version: string): Promise<CommitFloor> {
    const client = new Client({ connectionString: adminUrl });
    await client.connect();
    try {
      return await CommitFloor.prepare(client, packId, version);
    } catch (error) {
      await client.end();
      throw error;
    }
  }

  private static async prepare(client: Client, packId: string, version: string): Promise<CommitFloor> {
    const { rows } = await client.query<{ table: string; columns: string[]; rows: string | null }>(TEMPLATES, [packId, version]);
    const byTable = new Map(rows.map(row => [row.table, row]));
    await client.query('create schema bench_floor');
    const inserts: string[] = [];
    const templates: string[] = [];
    for (const [at, table] of TABLES.entries()) {
      const found = byTable.get(table);
      if (!found?.rows) throw new Error(`${packId} ${version} has left no row in ${table}`);
      const target = `bench_floor.${table.split('.')[1]}`;
      const columns = found.columns.filter(column => `${table}.${column}` !== 'registry.outbox.id').join(', ');
      await client.query(`create table ${target} (like ${table} including all)`);
      inserts.push(
        `t${at} as (insert into ${target} (${columns}) select ${columns} from json_populate_recordset(null::${target}, $${at + 1}))`,
      );
      templates.push(found.rows);
    }
    const rowCount = templates.reduce((sum, json) => sum + (JSON.parse(json) as unknown[]).length, 0);
    return new CommitFloor(client, `with ${inserts.join(', ')} select`, templates, rowCount);
  }

  /** One transaction: the statement commits by itself. */
  async commit(number: number): Promise<void> {
    await this.client.query({ name: 'floor', text: this.text, values: this.templates.map(json => withOtherKeys(json, number)) });
  }

  /** What decides whether a commit is durable. */
  settings(): Promise<Readonly<Record<string, string>>> {
    return databaseSettings(this.client);
  }

  async close(): Promise<void> {
    await this.client.end();
  }
}

/** Digests, object keys, event ids and packs that nobody has used; within one publish they still refer to each other. */
function withOtherKeys(json: string, number: number): string {
  const mark = number.toString(16).padStart(8, '0');
  return json
    .replaceAll(/sha256:[0-9a-f]{8}/g, `sha256:${mark}`)
    .replaceAll(/("object_key":")\w{8}/g, `$1${mark}`)
    .replaceAll(/("event_id":")[\w-]{8}/g, `$1${mark}`)
    .replaceAll(/("pack_id":")/g, `$1${mark}`);
}

/** $1 and $2 are a pack and its version; `v` is its row and `m` the digests of its manifest and of those that refer to it. */
const VERSION = `
  with v as (select * from registry.pack_versions where pack_id = $1 and version = $2),
    m as (select digest from registry.manifests
      where digest in (select v.manifest_digest from v) or subject in (select v.manifest_digest from v))`;

const CONDITIONS: Readonly<Record<(typeof TABLES)[number], string>> = {
  'content.blobs': `r.digest in (select digest from m) or r.digest in (
    select b.blob_digest from registry.manifest_blobs b join m on m.digest = b.manifest_digest)`,
  'registry.packs': 'r.pack_id = $1',
  'registry.verdicts': 'r.hash in (select v.verdict_hash from v)',
  'registry.manifests': 'r.digest in (select digest from m)',
  'registry.manifest_blobs': 'r.manifest_digest in (select digest from m)',
  'registry.pack_versions': 'r.pack_id = $1 and r.version = $2',
  'registry.signatures': 'r.pack_id = $1 and r.version = $2',
  'registry.channel_heads': 'r.pack_id = $1',
  'registry.outbox': `strpos(convert_from(r.payload, 'UTF8'), to_json($1::text)::text) > 0
    and strpos(convert_from(r.payload, 'UTF8'), to_json($2::text)::text) > 0`,
};

const TEMPLATES =
  VERSION +
  TABLES.map(
    table => `
  select '${table}' as "table", json_agg(r)::text as rows,
    (select array_agg(column_name::text) from information_schema.columns where table_schema || '.' || table_name = '${table}') as columns
  from ${table} r where ${CONDITIONS[table]}`,
  ).join(' union all ');
