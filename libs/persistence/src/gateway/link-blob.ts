import { isNativeError } from 'node:util/types';
import { DomainError, requireUnsealed, type RepositoryName } from '@packs/domain';
import type { StoredBlob } from '@packs/ports';
import type { DataSource } from 'typeorm';
import { BLOB_COLUMNS, toStoredBlob, type BlobRow } from '../content-catalog';
import { inTransaction } from '../transaction';

export interface BlobLink {
  readonly to: RepositoryName;
  readonly actor: string;
  readonly blob: StoredBlob;
  /** The upload session it came by. */
  readonly session: string | null;
}

/** A push of one blob pays for one statement and one flush. The seal is held until it has committed. */
const LINK = `
with seal as materialized (select registry.hold_seal() as sealed),
added as (
  insert into content.blobs (digest, size, object_key, block_checksums)
  select $4, $5::bigint, $6, decode($7, 'base64') from seal where not sealed
  on conflict (digest) do nothing returning digest, size, object_key, block_checksums
), linked as (
  insert into content.repository_blobs (tenant, repository, digest, uploaded_by)
  select $1, $2, $4, $3 from seal where not sealed on conflict do nothing
), ended as (
  delete from gateway.uploads using seal where not sealed and id = $8 and tenant = $1 and repository = $2
)
select seal.sealed, holds.* from seal left join (
  select * from added union all select ${BLOB_COLUMNS} from content.blobs b where b.digest = $4
) as holds on true`;
const RECORD = `select ${BLOB_COLUMNS} from content.blobs b where b.digest = $1`;

const ATTEMPTS = 5;
/** The record that was there went between the statement's snapshot and its check of the link: vacuum took it. */
const RECORD_WENT = '23503';

/** See `UploadSessions.link`. */
export async function linkBlob(dataSource: DataSource, link: BlobLink): Promise<StoredBlob> {
  for (let attempt = 1; ; attempt++) {
    try {
      return await tryToLink(dataSource, link);
    } catch (error) {
      const went = isNativeError(error) && 'code' in error && error.code === RECORD_WENT;
      if (!went || attempt === ATTEMPTS) throw error;
    }
  }
}

function tryToLink(dataSource: DataSource, { to, actor, blob, session }: BlobLink): Promise<StoredBlob> {
  const { digest, size, objectKey, blockChecksums } = blob;
  return inTransaction(dataSource, to.namespace, async sql => {
    const [row] = await sql.query<(BlobRow | { digest: null }) & { sealed: boolean }>(LINK, [
      ...[to.namespace, to.repository, actor, digest, size, objectKey, blockChecksums],
      session,
    ]);
    if (row?.sealed !== false) requireUnsealed('api');
    if (row && row.digest !== null) return toStoredBlob(row);
    // Another writer's record became visible only behind this statement's snapshot.
    const [later] = await sql.query<BlobRow>(RECORD, [digest]);
    if (!later) throw new DomainError('ERR_PACK_INTERNAL', 'a blob that was recorded is on no record', { details: { digest } });
    return toStoredBlob(later);
  });
}
