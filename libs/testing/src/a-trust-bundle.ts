import { generateKeyPairSync, sign, type KeyObject } from 'node:crypto';
import { canonicalJson, type TrustedKey, type TrustMaterial } from '@packs/domain';
import { encodeTrustBundle, trustBundleMessage, trustedKeyFromPem, trustMaterialJson } from '@packs/sigstore';

/** A root key made for one spec. */
interface RootKey {
  readonly key: TrustedKey;
  readonly privateKey: KeyObject;
}

export function aRootKey(name: string): RootKey {
  const { publicKey, privateKey } = generateKeyPairSync('ed25519');
  return { key: trustedKeyFromPem(name, publicKey.export({ type: 'spki', format: 'pem' }).toString()), privateKey };
}

export interface TrustBundleChanges {
  readonly tenant?: string;
  readonly version?: number;
  readonly validFrom?: string;
  readonly validUntil?: string;
  readonly root?: readonly RootKey[];
  readonly threshold?: number;
  readonly material?: TrustMaterial;
  /** Absent: all of its root keys. */
  readonly signers?: readonly RootKey[];
}

/** A signed trust bundle, as a file. */
export function aTrustBundle({
  root = [],
  signers = root,
  threshold = 1,
  material = { keys: [] },
  ...changes
}: TrustBundleChanges): Buffer {
  const payload = Buffer.from(
    canonicalJson({
      schema: 'stellaops.io/trust-bundle.v1',
      tenant: 'acme',
      version: 1,
      validFrom: '2026-01-01T00:00:00.000Z',
      validUntil: '2027-01-01T00:00:00.000Z',
      ...changes,
      root: { keys: root.map(({ key }) => key), threshold },
      material: trustMaterialJson(material),
    }),
  );
  const message = trustBundleMessage(payload);
  return encodeTrustBundle(
    payload,
    signers.map(({ privateKey }) => sign(null, message, privateKey)),
  );
}
