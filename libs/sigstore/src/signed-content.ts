import type { ClaimedDigest } from './artifact-subject';
import type { SimpleSignature } from './simple-signature';

/** What a signature document says was signed, however it is written. */
export type SignedContent = SignedMessage | SignedEnvelope | SimpleSignature;

/** The signature is over the artifact's bytes. */
export interface SignedMessage {
  readonly kind: 'message';
  readonly signature: Buffer;
  /** What the document says that the artifact's hash is. It tells which artifact is meant, and not what was signed (sigstore protobuf-specs, MessageSignature). */
  readonly claimed?: ClaimedDigest;
  /** How the document names its key; empty: it does not. */
  readonly keyHint: string;
}

/** The signatures are over an envelope whose statement names the artifact by digest (DSSE v1.0). */
export interface SignedEnvelope {
  readonly kind: 'envelope';
  readonly payloadType: string;
  readonly payload: Buffer;
  readonly signatures: readonly Buffer[];
  readonly keyHint: string;
}
