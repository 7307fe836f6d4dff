import { generateKeyPairSync, sign, type KeyObject } from 'node:crypto';
import { digestHex, type Digest, type TrustedKey } from '@packs/domain';
import { trustedKeyFromPem } from '@packs/sigstore';

const PAYLOAD_TYPE = 'application/vnd.in-toto+json';
export const SLSA = 'https://slsa.dev/provenance/v1';

export interface Attester {
  readonly key: TrustedKey;
  readonly secret: KeyObject;
}

export function anAttester(name: string): Attester {
  const { publicKey, privateKey } = generateKeyPairSync('ed25519');
  return { key: trustedKeyFromPem(name, publicKey.export({ type: 'spki', format: 'pem' }).toString()), secret: privateKey };
}

/** A DSSE envelope over a statement (DSSE v1.0), written out so that the product's signer has no part in it. */
export function anAttestation(subject: Digest, signers: readonly Attester[], predicateType = SLSA): Buffer {
  const payload = Buffer.from(
    JSON.stringify({
      _type: 'https://in-toto.io/Statement/v1',
      subject: [{ name: 'pack', digest: { sha256: digestHex(subject) } }],
      predicateType,
      predicate: {},
    }),
  );
  const message = Buffer.concat([Buffer.from(`DSSEv1 ${PAYLOAD_TYPE.length} ${PAYLOAD_TYPE} ${payload.length} `), payload]);
  const signatures = signers.map(({ secret }) => ({ sig: sign(null, message, secret).toString('base64') }));
  return Buffer.from(JSON.stringify({ payload: payload.toString('base64'), payloadType: PAYLOAD_TYPE, signatures }));
}
