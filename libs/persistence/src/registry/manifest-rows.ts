import { EMPTY_DESCRIPTOR, type Digest, type EncodedManifest } from '@packs/domain';
import type { Sql } from '../transaction';

/** A manifest of a pack's repository and what keeps its blobs alive. */
export interface ManifestRow {
  readonly manifest: EncodedManifest;
  /** The manifest it refers to. */
  readonly subject: Digest | null;
  readonly blobs: readonly Digest[];
}

/** Records manifests whose blobs are recorded; those that are there stay as they are. */
export function insertManifests(sql: Sql, tenant: string, packId: string, rows: readonly ManifestRow[]): void {
  sql.send(
    `insert into registry.manifests (tenant, repository, digest, media_type, artifact_type, subject, annotations)
     select $1, $2, d, m, a, s, n::jsonb from unnest($3::text[], $4::text[], $5::text[], $6::text[], $7::text[]) as t(d, m, a, s, n) on conflict do nothing`,
    [
      tenant,
      packId,
      rows.map(row => row.manifest.digest),
      rows.map(row => row.manifest.mediaType),
      rows.map(row => row.manifest.artifactType),
      rows.map(row => row.subject) as string[],
      rows.map(row => JSON.stringify(row.manifest.annotations)),
    ],
  );
  const edges = rows.flatMap(edgesOf);
  sql.send(
    `insert into registry.manifest_blobs (tenant, repository, manifest_digest, blob_digest)
     select $1, $2, m, b from unnest($3::text[], $4::text[], $5::boolean[]) as t(m, b, required)
     -- As a value, which is looked up where it is needed; "exists" here would read all blobs, to look for one or two.
     where required or (select true from content.blobs c where c.digest = b) on conflict do nothing`,
    [tenant, packId, edges.map(edge => edge.manifest), edges.map(edge => edge.blob), edges.map(edge => edge.required)],
  );
}

/** The empty config of what refers to a pack is read with it, by whoever copies it; a manifest that was kept as it came may have another. */
function edgesOf({ manifest: { digest, bytes }, subject, blobs }: ManifestRow): { manifest: Digest; blob: Digest; required: boolean }[] {
  const edges = blobs.map(blob => ({ manifest: digest, blob, required: true }));
  if (subject === null || !bytes.includes(EMPTY_DESCRIPTOR.digest)) return edges;
  return [...edges, { manifest: digest, blob: EMPTY_DESCRIPTOR.digest, required: false }];
}
