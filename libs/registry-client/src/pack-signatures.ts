import {
  isDigest,
  MEDIA_TYPES,
  PACK_MANIFEST_MAX_BYTES,
  sha256,
  SIGNATURE_MEDIA_TYPES,
  type Digest,
  type SignatureMediaType,
} from '@packs/domain';
import type { RemoteManifest, RemoteReferrer, RemoteRepository } from '@packs/ports';
import { layersOf, type Layer } from './pack-artifact';
import { referenceOf } from './referrer-list';

const SIGNATURES_MAX = 8;
const SIGNATURE_MAX_BYTES = 256 * 1024;
/** What an attestation is told from a signature by, where both come in the same envelope. */
const PREDICATE_ANNOTATIONS = ['dev.sigstore.bundle.predicateType', 'in-toto.io/predicate-type'];
const COSIGN_SIGNATURE = 'dev.cosignproject.cosign/signature';

export interface FoundSignature {
  readonly mediaType: SignatureMediaType;
  readonly digest: Digest;
  readonly size: number;
  /** The manifest that it came in alone, where that may be kept. */
  readonly referrer?: RemoteManifest;
  read(): AsyncIterable<Uint8Array>;
}

/** One document of the two parts that cosign 2 keeps apart. */
type EncodeSimple = (payload: Uint8Array, signature: Uint8Array, annotations: Layer['annotations']) => Buffer;

/** The documents of the signatures over a manifest: of what refers to it, and of what cosign 2 puts under the tag made from its digest. */
export async function signaturesOf(
  repository: RemoteRepository,
  { digest }: RemoteManifest,
  encodeSimple: EncodeSimple,
  signal?: AbortSignal,
): Promise<FoundSignature[]> {
  const found: FoundSignature[] = [];
  for (const referrer of await repository.referrers(digest, signal)) {
    if (!isSignature(referrer) || found.length === SIGNATURES_MAX) continue;
    const manifest = await repository.manifest(referrer.digest, signal);
    // A list of referrers may say what it likes.
    if (!manifest || !isDigest(manifest.digest) || referenceOf(manifest)?.subject !== digest) continue;
    const [document, ...more] = layersOf(manifest);
    const mediaType = SIGNATURE_MEDIA_TYPES.find(one => one === document?.mediaType);
    if (!document || !mediaType || more.length > 0 || document.size > SIGNATURE_MAX_BYTES) continue;
    const kept = manifest.bytes.length <= PACK_MANIFEST_MAX_BYTES && { referrer: manifest };
    found.push({ ...blobOf(document), mediaType, ...kept, read: () => repository.readBlob(document, signal) });
  }
  const tagged = await repository.manifest(`${digest.replace(':', '-')}.sig`, signal);
  for (const layer of tagged ? layersOf(tagged) : []) {
    const simple = found.length < SIGNATURES_MAX ? await simpleSignature(repository, layer, encodeSimple, signal) : undefined;
    if (simple && !found.some(one => one.digest === simple.digest)) found.push(simple);
  }
  return found;
}

function isSignature({ artifactType, annotations }: RemoteReferrer): boolean {
  return SIGNATURE_MEDIA_TYPES.some(one => one === artifactType) && !PREDICATE_ANNOTATIONS.some(name => name in annotations);
}

/** The payload is the layer, the signature its annotation (cosign SIGNATURE_SPEC.md, "Tag-based discovery"). */
async function simpleSignature(
  repository: RemoteRepository,
  layer: Layer,
  encodeSimple: EncodeSimple,
  signal: AbortSignal | undefined,
): Promise<FoundSignature | undefined> {
  const text = layer.annotations[COSIGN_SIGNATURE];
  const isOne = layer.mediaType === MEDIA_TYPES.simpleSigning && typeof text === 'string' && layer.size <= SIGNATURE_MAX_BYTES / 4;
  if (!isOne || text.length > SIGNATURE_MAX_BYTES / 4) return undefined;
  const payload: Uint8Array[] = [];
  for await (const part of repository.readBlob(layer, signal)) payload.push(part);
  const bytes = encodeSimple(Buffer.concat(payload), Buffer.from(text, 'base64'), layer.annotations);
  return { mediaType: MEDIA_TYPES.simpleSignature, digest: sha256(bytes), size: bytes.length, read: () => once(bytes) };
}

function blobOf({ digest, size }: Layer): Pick<Layer, 'digest' | 'size'> {
  return { digest, size };
}

async function* once(bytes: Buffer): AsyncGenerator<Buffer> {
  yield bytes;
}
