import { ContentCatalog, type StoredBlob } from '@packs/ports';
import type { Digest } from '@packs/domain';
import type { DataSource } from 'typeorm';
import { callEach, type Sql } from './transaction';

export interface BlobRow {
  digest: Digest;
  size: string;
  object_key: string;
  block_checksums: Buffer;
}

/** Columns of a `BlobRow`, for a table or alias `b`. */
export const BLOB_COLUMNS = 'b.digest, b.size, b.object_key, b.block_checksums';

export function toStoredBlob(row: BlobRow): StoredBlob {
  return { digest: row.digest, size: Number(row.size), objectKey: row.object_key, blockChecksums: row.block_checksums.toString('base64') };
}

/** Inserts blobs that are not known yet; an earlier record of a digest stays. */
export function insertBlobs(sql: Sql, blobs: readonly StoredBlob[]): void {
  if (blobs.length === 0) return;
  // In digest order, so that two writers of the same digests wait for each other instead of deadlocking.
  const sorted = blobs.toSorted((a, b) => (a.digest < b.digest ? -1 : 1));
  const unique = sorted.filter((blob, at) => blob.digest !== sorted[at - 1]?.digest);
  sql.send(
    `insert into content.blobs (digest, size, object_key, block_checksums)
     select d, s, k, decode(c, 'base64') from unnest($1::text[], $2::bigint[], $3::text[], $4::text[]) as t(d, s, k, c)
     on conflict (digest) do nothing`,
    [unique.map(b => b.digest), unique.map(b => b.size), unique.map(b => b.objectKey), unique.map(b => b.blockChecksums)],
  );
}

export class PostgresContentCatalog extends ContentCatalog {
  constructor(private readonly dataSource: DataSource) {
    super();
  }

  async record(blobs: readonly StoredBlob[]): Promise<StoredBlob[]> {
    const rows = await callEach<BlobRow>(this.dataSource, 'select * from content.record_blobs($1, $2, $3, $4)', [
      blobs.map(({ digest }) => digest),
      blobs.map(({ size }) => size),
      blobs.map(({ objectKey }) => objectKey),
      blobs.map(({ blockChecksums }) => Buffer.from(blockChecksums, 'base64')),
    ]);
    const byDigest = new Map(rows.map(row => [row.digest, toStoredBlob(row)]));
    return blobs.map(blob => byDigest.get(blob.digest) ?? blob);
  }
}
