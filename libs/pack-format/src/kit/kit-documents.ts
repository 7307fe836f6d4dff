import { KIT_MEDIA_TYPES, type KitManifest, type KitVersion } from '@packs/contracts';
import { canonicalJson, sha256, versionTag, type Digest } from '@packs/domain';

export interface KitBlob {
  readonly digest: Digest;
  readonly size: number;
}

export interface KitDocument {
  readonly path: string;
  readonly bytes: Buffer;
}

export const KIT_PATHS = {
  index: 'index.json',
  layout: 'oci-layout',
  digestMap: 'offline/packs/digestmap.json',
  manifest: 'offline/packs/manifest.json',
} as const;

/** OCI image-spec "Image Layout": the marker file. */
export const LAYOUT_MARKER = Buffer.from('{"imageLayoutVersion":"1.0.0"}');

const INDEX_TYPE = 'application/vnd.oci.image.index.v1+json';
const DIGEST_MAP_SCHEMA = 'stellaops.io/offline-kit-digestmap.v1';

/** The documents of a kit in the order of their paths. All of them follow from the manifest. */
export function kitDocuments(manifest: KitManifest): KitDocument[] {
  const manifestBytes = encodeManifest(manifest);
  return [
    { path: KIT_PATHS.index, bytes: encodeIndex(manifest, sha256(manifestBytes)) },
    { path: KIT_PATHS.layout, bytes: LAYOUT_MARKER },
    { path: KIT_PATHS.digestMap, bytes: encodeDigestMap(manifest) },
    { path: KIT_PATHS.manifest, bytes: manifestBytes },
  ];
}

function encodeManifest(manifest: KitManifest): Buffer {
  return Buffer.from(canonicalJson(manifest));
}

/** An OCI image index that lists every manifest and every referrer, as tools that copy layouts expect. */
export function encodeIndex({ source, generation, versions }: KitManifest, manifestDigest: Digest): Buffer {
  const manifests = versions.flatMap(({ packId, version, manifest, signatures, attestations }) => [
    { ...manifest, annotations: { 'org.opencontainers.image.ref.name': `${source.tenant}/${packId}:${versionTag(version)}` } },
    ...[...signatures, ...attestations].map(referrer => referrer.manifest),
  ]);
  const annotations = { 'io.stellaops.kit.manifest': manifestDigest, 'io.stellaops.kit.generation': String(generation) };
  return Buffer.from(canonicalJson({ schemaVersion: 2, mediaType: INDEX_TYPE, manifests, annotations }));
}

/** Every bundle with the digests of what vouches for it, for installers that look at nothing else. */
export function encodeDigestMap({ versions }: KitManifest): Buffer {
  const packs = versions.map(({ packId, version, digest, manifest, signatures, attestations }) => [
    digest,
    {
      packId,
      version,
      manifest: manifest.digest,
      signatures: signatures.map(({ document }) => document.digest),
      attestations: attestations.map(({ document }) => document.digest),
    },
  ]);
  return Buffer.from(canonicalJson({ schema: DIGEST_MAP_SCHEMA, packs: Object.fromEntries(packs) as unknown }));
}

/** Every blob the kit has to hold, and none beside it, in the order of their digests. */
export function kitBlobs({ trust, versions }: KitManifest): KitBlob[] {
  const sizes = new Map<Digest, number>();
  const add = ({ digest, size }: KitBlob): unknown => sizes.set(digest, size);
  for (const document of [...trust.materials, ...trust.policies]) add(document);
  for (const version of versions) blobsOfVersion(version).forEach(add);
  return [...sizes].map(([digest, size]) => ({ digest, size })).toSorted((a, b) => (a.digest < b.digest ? -1 : 1));
}

function blobsOfVersion({ manifest, config, bundle, verdict, signatures, attestations }: KitVersion): KitBlob[] {
  const referrers = [...signatures, ...attestations].flatMap(referrer => [referrer.manifest, referrer.config, referrer.document]);
  return [manifest, config, bundle, verdict, ...referrers];
}

/** A verdict, a policy or trust material, as the kit's manifest names it. */
export function documentDescriptor(kind: 'verdict' | 'policy' | 'trust', bytes: Buffer): KitBlob & { readonly mediaType: string } {
  return { mediaType: KIT_MEDIA_TYPES[kind], digest: sha256(bytes), size: bytes.length };
}

export function blobPath(digest: Digest): string {
  return `blobs/sha256/${digest.slice('sha256:'.length)}`;
}
