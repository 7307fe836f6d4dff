import { createHash, generateKeyPairSync, sign } from 'node:crypto';
import { MEDIA_TYPES, type TrustedKey } from '@packs/domain';
import { trustedKeyFromPem } from '@packs/sigstore';

export interface EphemeralSigner {
  readonly key: TrustedKey;
  /** The document `cosign sign-blob --bundle` writes for a key; `signature` replaces the right one. */
  bundle(artifact: Buffer, signature?: Buffer): Buffer;
}

/** An Ed25519 key made for one spec. */
export function aSigner(name: string): EphemeralSigner {
  const { publicKey, privateKey } = generateKeyPairSync('ed25519');
  const hint = createHash('sha256')
    .update(publicKey.export({ type: 'spki', format: 'der' }))
    .digest('base64');
  return {
    key: trustedKeyFromPem(name, publicKey.export({ type: 'spki', format: 'pem' }).toString()),
    bundle: (artifact, signature = sign(null, artifact, privateKey)) =>
      Buffer.from(
        JSON.stringify({
          mediaType: MEDIA_TYPES.sigstoreBundle,
          verificationMaterial: { publicKey: { hint } },
          messageSignature: { signature: signature.toString('base64') },
        }),
      ),
  };
}
