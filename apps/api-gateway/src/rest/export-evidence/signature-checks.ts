import type { Digest, Verdict, VerifiedIdentity } from '@packs/domain';
import { jsonFile, keyFile } from './document-files';

/** What is trusted by a verdict's trust material. */
export interface Trusted {
  readonly keyIds: ReadonlySet<Digest>;
  readonly roots: readonly Digest[];
}

/** Would end the field or the line they stand in. */
const UNPRINTABLE = /[\x00-\x1f\x7f]/;

/**
 * The lines of CHECKS: each document with the key that accepted verdicts found it good by, or with the identity and the roots that may vouch for it. Fields
 * are parted by tabs.
 */
export function signatureChecks(
  verdicts: readonly Verdict[],
  fileOf: ReadonlyMap<Digest, string>,
  trusted: ReadonlyMap<Digest, Trusted>,
): string {
  const lines = verdicts
    .filter(({ outcome }) => outcome === 'accepted')
    .flatMap(({ identities, trust }) => {
      const by = trusted.get(trust.digest);
      return by ? identities.map(identity => lineOf(identity, fileOf.get(identity.signature), by)) : [];
    })
    .filter(line => line !== undefined);
  return [...new Set(lines)]
    .toSorted()
    .map(line => `${line}\n`)
    .join('');
}

function lineOf(identity: VerifiedIdentity, file: string | undefined, { keyIds, roots }: Trusted): string | undefined {
  if (file === undefined) return undefined;
  if (identity.kind === 'key') {
    return keyIds.has(identity.keyId) ? ['key', file, keyFile(identity.keyId), identity.scheme].join('\t') : undefined;
  }
  const { name, issuer } = identity;
  if (roots.length === 0 || UNPRINTABLE.test(name) || UNPRINTABLE.test(issuer)) return undefined;
  return ['certificate', file, roots.map(root => jsonFile('roots', root)).join(' '), name, issuer].join('\t');
}
