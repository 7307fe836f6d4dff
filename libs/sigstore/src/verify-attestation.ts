import { dsse } from '@sigstore/core';
import { DomainError, MEDIA_TYPES, type AttestationMediaType, type Digest, type ErrorCode, type TrustedKey } from '@packs/domain';
import { dsseEnvelope } from './dsse-envelope';
import { IN_TOTO_PAYLOAD_TYPE, readStatementAbout } from './in-toto-statement';
import { loadKey, type LoadedKey } from './public-key';
import type { VerificationReason } from './reasons';
import { attemptsOf, candidates, unverified } from './signature-attempts';
import { invalid, SignatureFault } from './signature-fault';
import { verifyMessage } from './signature-scheme';
import type { SignedContent, SignedEnvelope } from './signed-content';
import { readSigstoreBundle } from './sigstore-bundle';
import { JsonFault, parseStrictJson, type JsonLimits } from './strict-json';

export const MAX_ATTESTATION_BYTES = 4 * 1024 * 1024;

/** Statements hold whole SBOMs, so they may be larger and deeper than signatures. */
export const ATTESTATION_LIMITS: JsonLimits = { maxBytes: MAX_ATTESTATION_BYTES, maxDepth: 64 };
export const PREDICATE_TYPE = /^[!-~]{1,512}$/;
export const ODD_PREDICATE_TYPE = 'the predicateType of the statement is not a URI of at most 512 characters';

export interface AttestationRequest {
  readonly mediaType: AttestationMediaType;
  readonly content: Uint8Array;
  /** The statement has to name one of these. */
  readonly subjects: readonly Digest[];
  readonly keys: readonly TrustedKey[];
}

export interface AttestationSigner {
  readonly key: TrustedKey;
  readonly keyId: Digest;
}

/** How far a document was found good: not signed by a trusted key, signed but not about the subjects, or both. */
export type AttestationResult =
  | { readonly outcome: 'signature-refused'; readonly reason: ErrorCode; readonly code: VerificationReason; readonly message: string }
  | {
      readonly outcome: 'statement-refused';
      readonly signers: readonly AttestationSigner[];
      readonly code: VerificationReason;
      readonly message: string;
    }
  | { readonly outcome: 'verified'; readonly signers: readonly AttestationSigner[]; readonly predicateType: string };

/**
 * Whether the document is an in-toto statement about one of the subjects, signed by trusted keys. Nothing of the payload is read before
 * a signature over it has been verified.
 * @throws DomainError ERR_PACK_TRUST_INVALID for a key that must not be trusted
 */
export function verifyAttestation({ mediaType, content, subjects, keys }: AttestationRequest): AttestationResult {
  const trusted = keys.map(loadKey);
  const opened = refusalOr(() => {
    const envelope = readEnvelope(mediaType, content);
    return { payload: envelope.payload, signers: signersOf(envelope, candidates(envelope.keyHint, trusted)) };
  });
  if (opened instanceof SignatureFault)
    return { outcome: 'signature-refused', reason: opened.reason, code: opened.code, message: opened.message };
  const { payload, signers } = opened;
  const statement = refusalOr(() => {
    const { predicateType } = readStatementAbout(
      payload,
      subjects.map(digest => ({ digest })),
      ATTESTATION_LIMITS,
    );
    if (!PREDICATE_TYPE.test(predicateType)) throw invalid(ODD_PREDICATE_TYPE);
    return { predicateType };
  });
  if (statement instanceof SignatureFault)
    return { outcome: 'statement-refused', signers, code: statement.code, message: statement.message };
  return { outcome: 'verified', signers, predicateType: statement.predicateType };
}

function refusalOr<T>(read: () => T): T | SignatureFault {
  try {
    return read();
  } catch (error) {
    if (error instanceof SignatureFault) return error;
    throw error;
  }
}

function readEnvelope(mediaType: AttestationMediaType, content: Uint8Array): SignedEnvelope {
  const document = readDocument(mediaType, content);
  if (document.kind !== 'envelope') throw invalid('the bundle holds a signature of bytes and no DSSE envelope');
  if (document.payloadType !== IN_TOTO_PAYLOAD_TYPE) throw invalid(`the payload type of the envelope is not ${IN_TOTO_PAYLOAD_TYPE}`);
  return document;
}

function readDocument(mediaType: AttestationMediaType, content: Uint8Array): SignedContent {
  try {
    const json = parseStrictJson(content, ATTESTATION_LIMITS);
    return mediaType === MEDIA_TYPES.sigstoreBundle ? readSigstoreBundle(json) : dsseEnvelope(json, '');
  } catch (error) {
    throw error instanceof JsonFault ? invalid(`the document is ${error.message}`) : error;
  }
}

/** Every trusted key that made one of the signatures, in the order of the keys; signatures by others count for nothing. */
function signersOf({ payloadType, payload, signatures }: SignedEnvelope, keys: readonly LoadedKey[]): readonly AttestationSigner[] {
  const message = dsse.preAuthEncoding(payloadType, payload);
  const verified = new Set<LoadedKey>();
  for (const { key, signature } of attemptsOf(signatures, keys)) {
    if (!verified.has(key) && verifyMessage(key, message, signature)) verified.add(key);
  }
  if (verified.size === 0) throw unverified(keys);
  return keys.filter(key => verified.has(key)).map(({ key, keyId }) => ({ key, keyId }));
}

/**
 * What a document nobody vouches for says of itself: it is read like a verified one, its signature aside.
 * @throws DomainError ERR_PACK_ATTESTATION_INVALID when it would not be an attestation of a subject whoever signed it
 */
export function readUnverified(
  mediaType: AttestationMediaType,
  content: Uint8Array,
  subjects: readonly Digest[],
): { predicateType: string } {
  const read = refusalOr(() => {
    const about = subjects.map(digest => ({ digest }));
    const { predicateType } = readStatementAbout(readEnvelope(mediaType, content).payload, about, ATTESTATION_LIMITS);
    if (!PREDICATE_TYPE.test(predicateType)) throw invalid(ODD_PREDICATE_TYPE);
    return { predicateType };
  });
  if (!(read instanceof SignatureFault)) return read;
  throw new DomainError('ERR_PACK_ATTESTATION_INVALID', read.message);
}
