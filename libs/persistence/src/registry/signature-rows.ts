import type { NewSignature } from '@packs/ports';
import type { Sql } from '../transaction';

/** One that is there already stays as it is. */
export function insertSignature(
  sql: Sql,
  at: { readonly tenant: string; readonly packId: string; readonly version: string; readonly addedAt: string },
  { blob, manifest, identity }: NewSignature,
): void {
  sql.send(
    `insert into registry.signatures (tenant, pack_id, version, digest, media_type, manifest_digest, key_name, key_id, scheme, added_at)
     values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10) on conflict do nothing`,
    [
      ...[at.tenant, at.packId, at.version, blob.digest, blob.mediaType, manifest.digest],
      ...[identity?.name ?? null, identity?.keyId ?? null, identity?.scheme ?? null, at.addedAt],
    ],
  );
}
