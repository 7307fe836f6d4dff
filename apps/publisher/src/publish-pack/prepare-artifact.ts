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
import type { SubmittedSignature } from './submission';

/** A version as an OCI artifact whose every blob is on stable storage. */
export interface PreparedArtifact {
  readonly manifest: PackManifest;
  readonly config: BlobRef;
  readonly bundle: BlobRef;
  readonly ociManifest: EncodedManifest;
  readonly signatures: readonly NewSignature[];
  /** Written here and not yet recorded. */
  readonly blobs: readonly StoredBlob[];
}

interface Parts {
  readonly manifest: PackManifest;
  readonly bundle: BlobRef;
  readonly signatures: readonly SubmittedSignature[];
  readonly verdict: Verdict;
}

/** Builds the manifest and one referrer per signature, and stores them. */
export async function prepareArtifact(store: BlobStore, parts: Parts & { readonly config: StoredBlob }): Promise<PreparedArtifact> {
  const { manifest, config, bundle } = parts;
  const ociManifest = encodePackManifest(
    manifest,
    { mediaType: MEDIA_TYPES.packConfig, digest: config.digest, size: config.size },
    { mediaType: MEDIA_TYPES.packBundle, digest: bundle.digest, size: bundle.size },
  );
  const { signatures, written } = refer(store, parts, ociManifest);
  const blobs = await Promise.all([writeWhole(store, ociManifest.bytes), ...written]);
  return { manifest, config, bundle, ociManifest, signatures, blobs: [config, ...blobs] };
}

/** Keeps a manifest that came with the artifact as it is; signatures that came without a referrer of it get one. */
export async function keepArtifact(
  store: BlobStore,
  parts: Parts & { readonly config: BlobRef; readonly ociManifest: EncodedManifest },
): Promise<PreparedArtifact> {
  const { manifest, config, bundle, ociManifest } = parts;
  const { signatures, written } = refer(store, parts, ociManifest);
  return { manifest, config, bundle, ociManifest, signatures, blobs: await Promise.all(written) };
}

function refer(store: BlobStore, { signatures, verdict }: Parts, { mediaType, digest, size }: EncodedManifest) {
  const referred = signatures.map(({ blob, referrer }) => ({
    blob,
    manifest:
      referrer ?? encodeSignatureManifest({ mediaType: blob.mediaType, digest: blob.digest, size: blob.size }, { mediaType, digest, size }),
    identity: verdict.identities.find(identity => identity.signature === blob.digest) ?? null,
  }));
  const made = referred.filter((_, at) => !signatures[at]?.referrer);
  const written = made.map(signature => writeWhole(store, signature.manifest.bytes));
  if (made.length > 0) written.push(emptyConfig(store));
  return { signatures: referred, written };
}

const emptyConfigs = new WeakMap<BlobStore, Promise<StoredBlob>>();

/** The config of every referrer, `{}`, is written once a process: what is recorded already would lie there unused. */
export function emptyConfig(store: BlobStore): Promise<StoredBlob> {
  let written = emptyConfigs.get(store);
  if (!written) {
    written = writeWhole(store, EMPTY_JSON);
    emptyConfigs.set(store, written);
    written.catch(() => emptyConfigs.delete(store));
  }
  return written;
}

export function writeWhole(store: BlobStore, bytes: Buffer): Promise<StoredBlob> {
  return store.writeBytes(bytes);
}
