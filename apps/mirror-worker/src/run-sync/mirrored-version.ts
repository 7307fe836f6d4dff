import type { MirroredVersion } from '@packs/contracts';
import type { InventoryBlob, InventoryVersion } from '@packs/ports';
import type { Digest } from '@packs/domain';

/** What a mirror's state says of a version. @param withdrawn manifests of the attestations that are not handed on */
export function toMirroredVersion(version: InventoryVersion, withdrawn: readonly Digest[]): MirroredVersion {
  const { packId, type, publishedAt, lifecycle, deprecation, visibility, manifest, blobs, digest, referrers } = version;
  const bundle = blobs.find(blob => blob.digest === digest);
  const config = blobs.find(blob => blob.digest !== digest);
  if (!bundle || !config) throw new Error(`${packId} ${version.version} lacks its config or its bundle`);
  return {
    packId,
    version: version.version,
    type,
    publishedAt,
    lifecycle,
    deprecation: deprecation && { ...deprecation },
    visibility: [...visibility],
    manifest: descriptor(manifest),
    config: descriptor(config),
    bundle: descriptor(bundle),
    referrers: referrers
      .filter(({ manifest: { digest: named } }) => !withdrawn.includes(named))
      .map(referrer => ({
        manifest: { ...descriptor(referrer.manifest), artifactType: referrer.manifest.artifactType },
        kind: referrer.kind,
        blobs: referrer.blobs.map(descriptor),
      })),
    ...(withdrawn.length > 0 && { withdrawn: [...withdrawn] }),
  };
}

/** Every stored blob of a version by its digest. */
export function blobsOf(version: InventoryVersion): Map<Digest, InventoryBlob> {
  const all = [version.manifest, ...version.blobs, ...version.referrers.flatMap(referrer => [referrer.manifest, ...referrer.blobs])];
  return new Map(all.map(blob => [blob.digest, blob]));
}

function descriptor({ digest, size, mediaType }: InventoryBlob) {
  return { digest, size, mediaType };
}
