import {
  EMPTY_JSON,
  encodePackManifest,
  encodeSignatureManifest,
  MEDIA_TYPES,
  type EncodedManifest,
  type PackManifest,
  type Verdict,
} from '@packs/domain';
import type { BlobRef, BlobStore, NewSignature, StoredBlob } from '@packs/ports';

/** A version as an OCI artifact whose every blob is on stable storage. */
export interface PreparedArtifact {
  readonly manifest: PackManifest;
  readonly config: StoredBlob;
  readonly bundle: BlobRef;
  readonly ociManifest: EncodedManifest;
  readonly signatures: readonly NewSignature[];
  /** Written here and not yet recorded. */
  readonly blobs: readonly StoredBlob[];
}

interface Parts {
  readonly manifest: PackManifest;
  readonly config: StoredBlob;
  readonly bundle: BlobRef;
  readonly signatures: readonly (BlobRef & { readonly mediaType: string })[];
  readonly verdict: Verdict;
}

/** Builds the manifest and one referrer per signature, and stores them. */
export async function prepareArtifact(store: BlobStore, parts: Parts): Promise<PreparedArtifact> {
  const { manifest, config, bundle, verdict } = parts;
  const ociManifest = encodePackManifest(
    manifest,
    { mediaType: MEDIA_TYPES.packConfig, digest: config.digest, size: config.size },
    { mediaType: MEDIA_TYPES.packBundle, digest: bundle.digest, size: bundle.size },
  );
  const subject = { mediaType: ociManifest.mediaType, digest: ociManifest.digest, size: ociManifest.size };
  const signatures = parts.signatures.map(blob => ({
    blob,
    manifest: encodeSignatureManifest({ mediaType: blob.mediaType, digest: blob.digest, size: blob.size }, subject),
    identity: verdict.identities.find(identity => identity.signature === blob.digest) ?? null,
  }));
  const documents = [ociManifest.bytes, ...signatures.map(signature => signature.manifest.bytes)];
  const written = documents.map(bytes => writeWhole(store, bytes));
  if (signatures.length > 0) written.push(emptyConfig(store));
  return { manifest, config, bundle, ociManifest, signatures, blobs: [config, ...(await Promise.all(written))] };
}

const emptyConfigs = new WeakMap<BlobStore, Promise<StoredBlob>>();

/** The config of every referrer, `{}`, is written once a process: what is recorded already would lie there unused. */
function emptyConfig(store: BlobStore): Promise<StoredBlob> {
  let written = emptyConfigs.get(store);
  if (!written) {
    written = writeWhole(store, EMPTY_JSON);
    emptyConfigs.set(store, written);
    written.catch(() => emptyConfigs.delete(store));
  }
  return written;
}

export function writeWhole(store: BlobStore, bytes: Buffer): Promise<StoredBlob> {
  return store.write(
    (async function* () {
      yield bytes;
    })(),
    { maxBytes: bytes.length },
  );
}
