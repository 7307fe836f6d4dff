import { isNativeError } from 'node:util/types';
import { DomainError, requireUnsealed, type RepositoryName } from '@packs/domain';
import type { StoredBlob } from '@packs/ports';
import type { DataSource } from 'typeorm';
import { toStoredBlob, type BlobRow } from '../content-catalog';
import { callAs } from '../transaction';

export interface BlobLink {
  readonly to: RepositoryName;
  readonly actor: string;
  readonly blob: StoredBlob;
  /** The upload session it came by. */
  readonly session: string | null;
}

const LINK = 'select * from gateway.link_blob($1, $2, $3, $4, $5, $6, $7, $8)';
const ATTEMPTS = 5;
/** The record that was there went before the link to it was checked: vacuum took it. */
const RECORD_WENT = '23503';

/** See `UploadSessions.link`. */
export async function linkBlob(dataSource: DataSource, link: BlobLink): Promise<StoredBlob> {
  for (let attempt = 1; ; attempt++) {
    try {
      const row = await tryToLink(dataSource, link);
      if (row) return toStoredBlob(row);
    } catch (error) {
      const went = isNativeError(error) && 'code' in error && error.code === RECORD_WENT;
      if (!went) throw error;
    }
    if (attempt === ATTEMPTS) {
      throw new DomainError('ERR_PACK_UNAVAILABLE', 'the blob is being taken away at this moment; try again', { retry: 'later' });
    }
  }
}

async function tryToLink(dataSource: DataSource, { to, actor, blob, session }: BlobLink): Promise<BlobRow | undefined> {
  const { digest, size, objectKey, blockChecksums } = blob;
  const values = [to.repository, actor, digest, size, objectKey, Buffer.from(blockChecksums, 'base64'), session];
  const [row] = await callAs<BlobRow & { sealed: boolean }>(dataSource, LINK, to.namespace, values);
  if (row?.sealed) requireUnsealed('api');
  return row;
}
