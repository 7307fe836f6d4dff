import type { MirroredVersion } from '@packs/contracts';
import { MEDIA_TYPES, sha256, type Digest } from '@packs/domain';

export interface TestVersion {
  readonly mirrored: MirroredVersion;
  /** The bytes of each of its blobs. */
  readonly content: ReadonlyMap<Digest, Buffer>;
}

/** A version with one signature and one attestation, `hello` 1.0.0 unless told otherwise, and what its blobs hold. */
export function aMirroredVersion(changes: Partial<MirroredVersion> = {}, salt = ''): TestVersion {
  const content = new Map<Digest, Buffer>();
  const blob = (text: string, mediaType: string) => {
    const bytes = Buffer.from(`${text}${salt} of ${changes.packId ?? 'hello'} ${changes.version ?? '1.0.0'}`);
    content.set(sha256(bytes), bytes);
    return { digest: sha256(bytes), size: bytes.length, mediaType };
  };
  const referrer = (kind: 'signature' | 'attestation', mediaType: string) => ({
    manifest: { ...blob(`manifest of ${kind}`, MEDIA_TYPES.ociManifest), artifactType: mediaType },
    kind,
    blobs: [blob(kind, mediaType)],
  });
  const mirrored: MirroredVersion = {
    packId: 'hello',
    version: '1.0.0',
    type: 'task',
    publishedAt: '2026-01-17T08:00:00.000Z',
    lifecycle: 'active',
    deprecation: null,
    visibility: [],
    manifest: blob('manifest', MEDIA_TYPES.ociManifest),
    config: blob('config', MEDIA_TYPES.packConfig),
    bundle: blob('bundle', MEDIA_TYPES.packBundle),
    referrers: [referrer('signature', MEDIA_TYPES.sigstoreBundle), referrer('attestation', MEDIA_TYPES.dsseEnvelope)],
    ...changes,
  };
  return { mirrored, content };
}
