import type { MirroredVersion } from '@packs/contracts';
import { canonicalJson, EMPTY_JSON, MEDIA_TYPES, sha256, type Digest } from '@packs/domain';

export interface TestVersion {
  readonly mirrored: MirroredVersion;
  /** The bytes of each of its blobs. */
  readonly content: ReadonlyMap<Digest, Buffer>;
}

/** A version with one signature and one attestation, `hello` 1.0.0 unless told otherwise, and what its blobs hold. */
export function aMirroredVersion(changes: Partial<MirroredVersion> = {}, salt = ''): TestVersion {
  const content = new Map<Digest, Buffer>();
  const store = (bytes: Buffer, mediaType: string) => {
    content.set(sha256(bytes), bytes);
    return { digest: sha256(bytes), size: bytes.length, mediaType };
  };
  const blob = (text: string, mediaType: string) =>
    store(Buffer.from(`${text}${salt} of ${changes.packId ?? 'hello'} ${changes.version ?? '1.0.0'}`), mediaType);
  const manifestOf = (artifactType: string, parts: object) =>
    store(
      Buffer.from(canonicalJson({ schemaVersion: 2, mediaType: MEDIA_TYPES.ociManifest, artifactType, ...parts })),
      MEDIA_TYPES.ociManifest,
    );
  const config = blob('config', MEDIA_TYPES.packConfig);
  const bundle = blob('bundle', MEDIA_TYPES.packBundle);
  const manifest = manifestOf(MEDIA_TYPES.pack, { config, layers: [bundle] });
  const empty = { mediaType: MEDIA_TYPES.ociEmpty, digest: sha256(EMPTY_JSON), size: EMPTY_JSON.length };
  const referrer = (kind: 'signature' | 'attestation', mediaType: string) => {
    const layer = blob(kind, mediaType);
    return {
      manifest: { ...manifestOf(mediaType, { config: empty, layers: [layer], subject: manifest }), artifactType: mediaType },
      kind,
      blobs: [layer],
    };
  };
  const mirrored: MirroredVersion = {
    packId: 'hello',
    version: '1.0.0',
    type: 'task',
    publishedAt: '2026-01-17T08:00:00.000Z',
    lifecycle: 'active',
    deprecation: null,
    visibility: [],
    manifest,
    config,
    bundle,
    referrers: [referrer('signature', MEDIA_TYPES.sigstoreBundle), referrer('attestation', MEDIA_TYPES.dsseEnvelope)],
    ...changes,
  };
  return { mirrored, content };
}
