import type { Digest } from './digest';

/** What a tenant's trust material says is not to be trusted any more, whatever else it says. */
export interface Revocations {
  readonly keys?: readonly RevokedKey[];
  readonly identities?: readonly RevokedIdentity[];
  readonly digests?: readonly RevokedDigest[];
}

interface Revoked {
  /** For people. */
  readonly reason: string;
}

interface RevokedSigner extends Revoked {
  /** RFC 3339: what is proven by a log or a clock to have been signed before counts on. Absent: nothing does. */
  readonly since?: string;
}

export interface RevokedKey extends RevokedSigner {
  /** SHA-256 of the SubjectPublicKeyInfo (DER) of a trusted key, of the key in a certificate, or of the authority that issued one. */
  readonly keyId: Digest;
}

/** Compared letter by letter. */
export interface RevokedIdentity extends RevokedSigner {
  readonly issuer: string;
  readonly identity: string;
}

export interface RevokedDigest extends Revoked {
  /** Of a bundle, of an OCI manifest, or of a signature or attestation document. */
  readonly digest: Digest;
}

/** The first of these digests that is revoked. */
export function revokedAmong(revoked: Revocations | undefined, digests: readonly Digest[]): RevokedDigest | undefined {
  return revoked?.digests?.find(({ digest }) => digests.includes(digest));
}
