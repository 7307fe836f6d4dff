import seeds from '@sigstore/tuf/seeds.json';
import { parseTrustedRoot, type TrustedRoot } from './trusted-root';

/** The trusted root of sigstore's public instance, as it came with the installed package: nothing is fetched, and nobody trusts it unasked. */
export function publicGoodRoot(): TrustedRoot {
  const [repository] = Object.values(seeds);
  if (!repository) throw new Error('@sigstore/tuf came without seeds');
  return parseTrustedRoot(Buffer.from(repository.targets['trusted_root.json'], 'base64'));
}
