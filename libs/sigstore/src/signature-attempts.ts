import { digestHex, type Digest } from '@packs/domain';
import type { LoadedKey } from './public-key';
import { invalid, untrusted, type SignatureFault } from './signature-fault';
import { fits } from './signature-scheme';
import type { Attempt } from './verify-artifact';

/** Bounds the work one signature document can ask for. */
const MAX_ATTEMPTS = 64;

/** A hint chooses among the trusted keys and never adds one. Known forms: SHA-256 of the key's DER in base64 (cosign), hex or as key id, and the key's name. */
export function candidates(hint: string, keys: readonly LoadedKey[]): readonly LoadedKey[] {
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

/** Each signature with each key that could have made it. */
export function attemptsOf(signatures: readonly Buffer[], keys: readonly LoadedKey[]): readonly Attempt[] {
  const attempts = signatures.flatMap(signature => keys.filter(key => fits(key, signature)).map(key => ({ key, signature })));
  if (attempts.length === 0) throw invalid('the signature has not the form of a signature by a trusted key', 'signature-invalid');
  if (attempts.length > MAX_ATTEMPTS) throw invalid('the envelope has too many signatures for this many trusted keys');
  return attempts;
}

export function unverified(keys: readonly LoadedKey[]): SignatureFault {
  return invalid(
    keys.length === 1
      ? `the signature is not by the key ${keys[0]?.key.name} over this artifact`
      : 'the signature is by none of the trusted keys over this artifact',
    'signature-invalid',
  );
}
