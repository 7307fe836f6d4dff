import { canonicalDigest } from './canonical-json';
import type { Digest } from './digest';
import type { ErrorCode, FieldFault } from './domain-error';
import type { CheckId, CheckReason } from './verdict-checks';

/** What the verifier concluded about one bundle, or about one attestation of it: a value, stored as it is and never recomputed. */
export interface Verdict {
  readonly schema: 'stellaops.io/verdict.v1';
  readonly outcome: 'accepted' | 'rejected';
  readonly subject: {
    readonly bundle: Digest;
    readonly config?: Digest;
    /** The OCI manifest that was shown to be one of this bundle. */
    readonly manifest?: Digest;
    readonly attestation?: Digest;
  };
  readonly policy: { readonly name: string; readonly version: number; readonly digest: Digest } | null;
  readonly trust: { readonly digest: Digest; readonly epoch: number };
  /** Digests of the signatures looked at, in the order they were given. */
  readonly evidence: readonly Digest[];
  /** Digests of the attestations looked at, in the order they were given; absent where the policy requires none. */
  readonly attestations?: readonly Digest[];
  readonly checks: readonly Check[];
  /** The distinct identities whose signatures are valid, sorted by name. */
  readonly identities: readonly VerifiedIdentity[];
  /** RFC 3339, an input of the evaluation. */
  readonly evaluatedAt: string;
}

/** One check; `reason` is a stable code, `ok` when it passed. */
export interface Check {
  readonly id: CheckId;
  readonly outcome: 'pass' | 'fail' | 'skipped';
  readonly reason: CheckReason;
  readonly evidence?: Digest;
}

export type VerifiedIdentity = VerifiedKey | VerifiedCertificate;

export interface VerifiedKey {
  readonly kind: 'key';
  readonly name: string;
  /** SHA-256 of the key's SubjectPublicKeyInfo (DER). */
  readonly keyId: Digest;
  readonly scheme: string;
  readonly signature: Digest;
}

/** Whom a certificate names that a trusted root vouches for. */
export interface VerifiedCertificate {
  readonly kind: 'certificate';
  /** The mail address or URI in the certificate. */
  readonly name: string;
  /** Who had seen to it that it is that identity. */
  readonly issuer: string;
  /** SHA-256 of the SubjectPublicKeyInfo (DER) of the trusted authority that issued the certificate. */
  readonly keyId: Digest;
  readonly scheme: string;
  readonly signature: Digest;
}

/** Prose for people about failed checks. It travels beside the verdict and is not part of its hash. */
export interface VerdictFault extends FieldFault {
  readonly code: ErrorCode;
  /** Which of the reasons that the code stands for, where there are more than one. */
  readonly reason?: string;
}

/** SHA-256 of the verdict's RFC 8785 JSON. */
export function verdictHash(verdict: Verdict): Digest {
  return canonicalDigest(verdict);
}
