import { MEDIA_TYPES, type Digest, type SignatureMediaType, type TrustedKey } from '@packs/domain';
import { isOf, type ArtifactSubject } from './artifact-subject';
import { dsseEnvelope } from './dsse-envelope';
import { requireSubject, signingKeys } from './key-made';
import { loadKey, type LoadedKey } from './public-key';
import { readRawSignature } from './raw-signature';
import { attemptsOf, candidates, unverified } from './signature-attempts';
import { invalid, SignatureFault, type SignatureResult } from './signature-fault';
import { verifyMessage } from './signature-scheme';
import type { SignedContent, SignedMessage } from './signed-content';
import { readSigstoreBundle } from './sigstore-bundle';
import { readSimpleSignature } from './simple-signature';
import { JsonFault, parseStrictJson } from './strict-json';
import { verifyArtifact } from './verify-artifact';

export const MAX_SIGNATURE_BYTES = 256 * 1024;

export interface PackSignature {
  readonly mediaType: SignatureMediaType;
  readonly content: Uint8Array;
}

export interface SignedManifest {
  readonly digest: Digest;
  readonly bytes: Uint8Array;
}

export interface PackSignatureRequest {
  /** The signed bytes from their beginning, at every call. Called at most once, and not at all for envelopes. */
  readonly artifact: () => AsyncIterable<Uint8Array>;
  /** Of the artifact, already proven by the caller where no stream is read. */
  readonly digest: Digest;
  readonly size: number;
  /** The OCI manifest of the artifact, shown by the caller to be that: a signature of it is one of the artifact. */
  readonly manifest?: SignedManifest;
  readonly signature: PackSignature;
  readonly keys: readonly TrustedKey[];
}

/**
 * Whether one of `keys` signed the artifact, or its manifest.
 * @throws DomainError ERR_PACK_CORRUPT when the artifact's bytes are not those of `digest`, ERR_PACK_TRUST_INVALID for a key that must not be trusted,
 * and whatever reading the artifact throws
 */
export async function verifyPackSignature(request: PackSignatureRequest): Promise<SignatureResult> {
  try {
    const content = read(request.signature);
    const keys = candidates(content.keyHint, request.keys.map(loadKey));
    const { key, keyId } = await verify(content, request, keys);
    return { valid: true, key, keyId };
  } catch (error) {
    if (error instanceof SignatureFault) return { valid: false, reason: error.reason, message: error.message };
    throw error;
  }
}

/** Messages are verified as the artifact passes; whatever else may be signed is judged as it is for a digest. */
async function verify(content: SignedContent, request: PackSignatureRequest, keys: readonly LoadedKey[]): Promise<LoadedKey> {
  if (content.kind === 'message') return verifyStreamed(content, request, keys);
  const { digest, manifest } = request;
  const subjects: ArtifactSubject[] = [{ digest, kind: 'bundle' }, ...(manifest ? [manifest] : [])];
  const [key] = signingKeys(content, subjects, keys);
  if (!key) throw unverified(keys);
  requireSubject(content, { subjects });
  return key;
}

function read({ mediaType, content }: PackSignature): SignedContent {
  if (content.length > MAX_SIGNATURE_BYTES) throw invalid(`a signature document has at most ${MAX_SIGNATURE_BYTES} bytes`);
  try {
    if (mediaType === MEDIA_TYPES.rawSignature) return readRawSignature(content);
    if (mediaType === MEDIA_TYPES.dsseEnvelope) return dsseEnvelope(parseStrictJson(content), '');
    if (mediaType === MEDIA_TYPES.simpleSignature) return readSimpleSignature(parseStrictJson(content));
    if (mediaType === MEDIA_TYPES.sigstoreBundle) return readSigstoreBundle(parseStrictJson(content));
  } catch (error) {
    if (error instanceof SignatureFault) throw error;
    throw invalid(error instanceof JsonFault ? `the signature document is ${error.message}` : 'the signature document is not readable');
  }
  throw invalid('the media type of the signature is not known');
}

async function verifyStreamed(message: SignedMessage, request: PackSignatureRequest, keys: readonly LoadedKey[]): Promise<LoadedKey> {
  const { digest, manifest } = request;
  const { claimed } = message;
  const attempts = attemptsOf([message.signature], keys);
  if (manifest && (claimed === undefined || isOf(claimed, manifest))) {
    const found = attempts.find(({ key, signature }) => verifyMessage(key, manifest.bytes, signature));
    if (found) return found.key;
    if (claimed !== undefined) throw unverified(keys);
  }
  if (claimed?.hash === 'sha256' && !isOf(claimed, { digest })) {
    throw invalid('the message digest of the bundle is not that of this artifact', 'subject-mismatch');
  }
  const found = await verifyArtifact(request, attempts, claimed?.hash === 'sha256' ? undefined : claimed);
  if (!found) throw unverified(keys);
  return found.key;
}
