import type { KeyObject } from 'node:crypto';

const BITS = { min: 2048, max: 8192 };

/** Why an RSA key is not taken, wherever it comes from: in trust material or in a certificate. */
export function rsaFault({ asymmetricKeyDetails: { modulusLength = 0, publicExponent = 0n } = {} }: KeyObject): string | undefined {
  if (modulusLength < BITS.min || modulusLength > BITS.max) {
    return `RSA keys have ${BITS.min} to ${BITS.max} bits; this one has ${modulusLength}`;
  }
  // With the exponent 1 every message is its own signature; large ones only cost time.
  if (publicExponent < 3n || publicExponent % 2n === 0n || publicExponent > 0xffff_ffffn) return 'the RSA exponent is not acceptable';
  return undefined;
}
