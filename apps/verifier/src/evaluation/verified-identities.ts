import { signerName, type Digest, type Signer, type VerifiedIdentity } from '@packs/domain';
import type { VerificationAnswer } from '@packs/sigstore';

type SignerIdentity = VerificationAnswer['signers'][number];

/** A signer as a verdict names it. */
export function identityOf(signer: SignerIdentity, signature: Digest): VerifiedIdentity {
  if (signer.kind === 'key') {
    const { name, keyId, scheme } = signer;
    return { kind: 'key', name, keyId, scheme, signature };
  }
  const { identity, issuer, authority, scheme } = signer;
  return { kind: 'certificate', name: identity, issuer, keyId: authority, scheme, signature };
}

/** A signer as rules see it. */
export function ruleSigner(signer: SignerIdentity): Signer {
  if (signer.kind === 'key') return { name: signerName({ keyRef: signer.name }) };
  const { issuer, identity, extensions } = signer;
  return { name: signerName({ oidcIssuer: { issuer, identity } }), extensions };
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
