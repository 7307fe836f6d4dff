import { dsse } from '@sigstore/core';
import { digestHex, MEDIA_TYPES, type Digest, type SignatureMediaType, type TrustedKey } from '@packs/domain';
import { dsseEnvelope } from './dsse-envelope';
import { assertStatementAbout, IN_TOTO_PAYLOAD_TYPE } from './in-toto-statement';
import { loadKey, type LoadedKey } from './public-key';
import { readRawSignature } from './raw-signature';
import { invalid, SignatureFault, untrusted, type SignatureResult } from './signature-fault';
import { fits, verifyMessage } from './signature-scheme';
import type { SignedContent, SignedEnvelope, SignedMessage } from './signed-content';
import { readSigstoreBundle } from './sigstore-bundle';
import { JsonFault, parseStrictJson } from './strict-json';
import { verifyArtifact, type Attempt } from './verify-artifact';

export const MAX_SIGNATURE_BYTES = 256 * 1024;

/** Bounds the work one signature document can ask for. */
const MAX_ATTEMPTS = 64;

export interface PackSignature {
  readonly mediaType: SignatureMediaType;
  readonly content: Uint8Array;
}

export interface PackSignatureRequest {
  /** The signed bytes from their beginning, at every call. Called at most once, and not at all for envelopes. */
  readonly artifact: () => AsyncIterable<Uint8Array>;
  /** Of the artifact, already proven by the caller where no stream is read. */
  readonly digest: Digest;
  readonly size: number;
  readonly signature: PackSignature;
  readonly keys: readonly TrustedKey[];
}

/**
 * Whether one of `keys` signed the artifact.
 * @throws DomainError ERR_PACK_CORRUPT when the artifact's bytes are not those of `digest`, ERR_PACK_TRUST_INVALID for a key that must not be trusted,
 * and whatever reading the artifact throws
 */
export async function verifyPackSignature(request: PackSignatureRequest): Promise<SignatureResult> {
  try {
    const content = read(request.signature);
    const keys = candidates(content.keyHint, request.keys.map(loadKey));
    const { key, keyId } =
      content.kind === 'envelope' ? verifyEnvelope(content, request, keys) : await verifySigned(content, request, keys);
    return { valid: true, key, keyId };
  } catch (error) {
    if (error instanceof SignatureFault) return { valid: false, reason: error.reason, message: error.message };
    throw error;
  }
}

function read({ mediaType, content }: PackSignature): SignedContent {
  if (content.length > MAX_SIGNATURE_BYTES) throw invalid(`a signature document has at most ${MAX_SIGNATURE_BYTES} bytes`);
  try {
    if (mediaType === MEDIA_TYPES.rawSignature) return readRawSignature(content);
    if (mediaType === MEDIA_TYPES.dsseEnvelope) return dsseEnvelope(parseStrictJson(content), '');
    if (mediaType === MEDIA_TYPES.sigstoreBundle) return readSigstoreBundle(parseStrictJson(content));
  } catch (error) {
    if (error instanceof SignatureFault) throw error;
    throw invalid(error instanceof JsonFault ? `the signature document is ${error.message}` : 'the signature document is not readable');
  }
  throw invalid('the media type of the signature is not known');
}

/** A hint chooses among the trusted keys and never adds one. Known forms: SHA-256 of the key's DER in base64 (cosign), hex or as key id, and the key's name. */
function candidates(hint: string, keys: readonly LoadedKey[]): readonly LoadedKey[] {
  if (keys.length === 0) throw untrusted('no key is trusted');
  if (hint === '') return keys;
  const named = keys.find(({ keyId }) => formsOf(keyId).includes(hint)) ?? keys.find(({ key }) => key.name === hint);
  if (!named) throw untrusted('the signature names a key that is not trusted');
  return [named];
}

function formsOf(keyId: Digest): readonly string[] {
  const hex = digestHex(keyId);
  return [Buffer.from(hex, 'hex').toString('base64'), hex, keyId];
}

function verifyEnvelope(envelope: SignedEnvelope, { digest }: PackSignatureRequest, keys: readonly LoadedKey[]): LoadedKey {
  if (envelope.payloadType !== IN_TOTO_PAYLOAD_TYPE) throw invalid(`the payload type of the envelope is not ${IN_TOTO_PAYLOAD_TYPE}`);
  const attempts = attemptsOf(envelope.signatures, keys);
  const message = dsse.preAuthEncoding(envelope.payloadType, envelope.payload);
  const found = attempts.find(({ key, signature }) => verifyMessage(key, message, signature));
  if (!found) throw unverified(keys);
  assertStatementAbout(envelope.payload, digest);
  return found.key;
}

async function verifySigned(message: SignedMessage, request: PackSignatureRequest, keys: readonly LoadedKey[]): Promise<LoadedKey> {
  if (message.claimed !== undefined && message.claimed !== request.digest)
    throw invalid('the message digest of the bundle is not that of this artifact');
  const found = await verifyArtifact(request, attemptsOf([message.signature], keys));
  if (!found) throw unverified(keys);
  return found.key;
}

function attemptsOf(signatures: readonly Buffer[], keys: readonly LoadedKey[]): readonly Attempt[] {
  const attempts = signatures.flatMap(signature => keys.filter(key => fits(key, signature)).map(key => ({ key, signature })));
  if (attempts.length === 0) throw invalid('the signature has not the form of a signature by a trusted key');
  if (attempts.length > MAX_ATTEMPTS) throw invalid('the envelope has too many signatures for this many trusted keys');
  return attempts;
}

function unverified(keys: readonly LoadedKey[]): SignatureFault {
  return invalid(
    keys.length === 1
      ? `the signature is not by the key ${keys[0]?.key.name} over this artifact`
      : 'the signature is by none of the trusted keys over this artifact',
  );
}
