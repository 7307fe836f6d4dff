import { signerName, type Digest, type VerifiedIdentity } from '@packs/domain';
import type { VerificationAnswer } from '@packs/sigstore';

type Signer = VerificationAnswer['signers'][number];

/** A signer as a verdict names it. */
export function identityOf(signer: Signer, signature: Digest): VerifiedIdentity {
  if (signer.kind === 'key') {
    const { name, keyId, scheme } = signer;
    return { kind: 'key', name, keyId, scheme, signature };
  }
  const { identity, issuer, authority, scheme } = signer;
  return { kind: 'certificate', name: identity, issuer, keyId: authority, scheme, signature };
}

/** Signers as rules name them. */
export function namesOf(identities: readonly VerifiedIdentity[]): ReadonlySet<string> {
  return new Set(identities.map(nameOf));
}

/** One entry for each signer, of the first of its signatures: another key or certificate of one identity adds nobody. */
export function distinct(found: readonly VerifiedIdentity[]): VerifiedIdentity[] {
  const bySigner = new Map<string, VerifiedIdentity>();
  for (const identity of found) if (!bySigner.has(nameOf(identity))) bySigner.set(nameOf(identity), identity);
  return [...bySigner].toSorted(([a], [b]) => (a < b ? -1 : 1)).map(([, identity]) => identity);
}

function nameOf(identity: VerifiedIdentity): string {
  if (identity.kind === 'key') return signerName({ keyRef: identity.name });
  return signerName({ oidcIssuer: { issuer: identity.issuer, identity: identity.name } });
}
