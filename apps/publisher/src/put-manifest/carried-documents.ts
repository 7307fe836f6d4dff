import {
  EMPTY_DESCRIPTOR,
  encodeAttestationManifest,
  encodeSignatureManifest,
  invalidManifest,
  MEDIA_TYPES,
  type Descriptor,
  type EncodedManifest,
  type Layer,
} from '@packs/domain';
import { readWhole, type BlobStore, type StoredBlob } from '@packs/ports';
import { encodeSimpleSignature } from '@packs/sigstore';
import { emptyConfig, writeWhole } from '../publish-pack/prepare-artifact';
import { isDocument, readDocument, type CarriedDocument } from './read-document';

const COSIGN_SIGNATURE = 'dev.cosignproject.cosign/signature';
const PAYLOAD_MAX_BYTES = 64 * 1024;
/** cosign 2 adds each further signature to the one manifest under the tag. */
const MAX_DOCUMENTS = 64;

/** What a referrer says, each document with the manifest that carries it. */
export interface Carried {
  readonly document: CarriedDocument;
  /** Absent: the pushed manifest itself. */
  readonly made?: EncodedManifest;
}

export interface CarriedDocuments {
  readonly carried: readonly Carried[];
  /** Written here and not yet recorded. */
  readonly blobs: readonly StoredBlob[];
}

/**
 * The signatures and attestations of a referrer. A referrer with one document carries it itself; of what cosign 2 puts under its tags, each document
 * gets a manifest of its own, as cosign 3 would have made it.
 * @throws DomainError ERR_OCI_MANIFEST_INVALID for documents that have not the shape of their media type
 */
export async function carriedDocuments(
  store: BlobStore,
  layers: readonly Layer[],
  {
    subject,
    stored,
    isTagged,
  }: { readonly subject: Descriptor; readonly stored: ReadonlyMap<string, StoredBlob>; readonly isTagged: boolean },
): Promise<CarriedDocuments> {
  const relevant = layers
    .map((layer, at) => ({ layer, at }))
    .filter(({ layer }) => layer.mediaType === MEDIA_TYPES.simpleSigning || isDocument(layer.mediaType));
  if (relevant.length > MAX_DOCUMENTS) throw invalidManifest('/layers', `has more than ${MAX_DOCUMENTS} signatures or attestations`);
  const carried: Carried[] = [];
  const written: Promise<StoredBlob>[] = [];
  for (const { layer, at } of relevant) {
    const blob = stored.get(layer.digest);
    if (!blob) throw invalidManifest(`/layers/${at}/digest`, 'is not in the repository');
    const simple = layer.mediaType === MEDIA_TYPES.simpleSigning ? await convert(store, blob, layer, at) : undefined;
    if (simple) written.push(Promise.resolve(simple));
    const document = await readDocument(store, simple ?? blob, simple ? MEDIA_TYPES.simpleSignature : layer.mediaType);
    if (!document) throw invalidManifest(`/layers/${at}`, `is not ${layer.mediaType}`);
    const made = simple || isTagged || layers.length > 1 ? manifestOf(document, subject) : undefined;
    if (made) written.push(writeWhole(store, made.bytes));
    carried.push({ document, made });
  }
  if (carried.some(({ made }) => made)) written.push(emptyConfig(store));
  return { carried, blobs: await Promise.all(written) };
}

function manifestOf(document: CarriedDocument, subject: Descriptor): EncodedManifest {
  const { mediaType, digest, size } = document.blob;
  if (document.kind === 'signature') return encodeSignatureManifest({ mediaType, digest, size }, subject);
  return encodeAttestationManifest({ mediaType, digest, size }, subject, document.predicateType);
}

/** The payload is the layer, the signature its annotation (cosign SIGNATURE_SPEC.md, "Tag-based discovery"). */
async function convert(store: BlobStore, blob: StoredBlob, { annotations }: Layer, at: number): Promise<StoredBlob> {
  const text = annotations[COSIGN_SIGNATURE] ?? '';
  const signature = Buffer.from(text, 'base64');
  if (signature.length === 0 || signature.toString('base64') !== text) {
    throw invalidManifest(`/layers/${at}/annotations`, `has no base64 in ${COSIGN_SIGNATURE}`);
  }
  if (blob.size > PAYLOAD_MAX_BYTES) throw invalidManifest(`/layers/${at}/size`, `is more than ${PAYLOAD_MAX_BYTES}`);
  const payload = await readWhole(store, blob, PAYLOAD_MAX_BYTES);
  return writeWhole(store, encodeSimpleSignature(payload, signature, annotations));
}

/** Blobs that a manifest made here needs. */
export function blobsOf({ document, made }: Carried): readonly Descriptor['digest'][] {
  return made ? [document.blob.digest, EMPTY_DESCRIPTOR.digest] : [];
}
