import { MEDIA_TYPES, sha256, type TrustedKey } from '@packs/domain';
import { walkBundle } from '@packs/pack-format';
import { trustedKeyFromPem, verifyPackSignature } from '@packs/sigstore';
import type { SignedPack } from './signed-packs';

/** The checks of the verifier on bytes in memory: digest, walk, manifest, signature. No bus, no store, no verdict. */
export class VerifyFloor {
  private readonly keys: readonly TrustedKey[];

  constructor(publicKey: string) {
    this.keys = [trustedKeyFromPem('bench', publicKey)];
  }

  async verify({ bundle, digest, signature }: SignedPack): Promise<void> {
    if (sha256(bundle) !== digest) throw new Error('the bundle is not that of its digest');
    await walkBundle(once(bundle), { size: bundle.length });
    const result = await verifyPackSignature({
      artifact: () => once(bundle),
      digest,
      size: bundle.length,
      signature: { mediaType: MEDIA_TYPES.sigstoreBundle, content: signature },
      keys: this.keys,
    });
    if (!result.valid) throw new Error(`the signature was not accepted: ${result.message}`);
  }
}

async function* once(bytes: Uint8Array): AsyncIterable<Uint8Array> {
  yield bytes;
}
