import { EMPTY_JSON, encodePackConfig, encodePackManifest, encodeSignatureManifest, MEDIA_TYPES, sha256 } from '@packs/domain';
import { FileBlobStore } from '@packs/object-storage';
import type { SignedPack } from './signed-packs';

/** Durable writes of the objects of one publish, and of nothing else, through the store the product uses. */
export class ObjectFloor {
  private constructor(private readonly store: FileBlobStore) {}

  static async open(folder: string): Promise<ObjectFloor> {
    return new ObjectFloor(await FileBlobStore.open(folder));
  }

  /** All objects at once: no product that keeps them as files can be faster than that. */
  async allAtOnce(pack: SignedPack): Promise<void> {
    await this.write(Object.values(objectsOf(pack)));
  }

  /** What arrives first, then what follows from it: the order of a product that keeps nothing of a rejected pack. */
  async inTwoGroups(pack: SignedPack): Promise<void> {
    const { bundle, signature, ...derived } = objectsOf(pack);
    await this.write([bundle, signature]);
    await this.write(Object.values(derived));
  }

  async bundleAlone(pack: SignedPack): Promise<void> {
    await this.write([pack.bundle]);
  }

  private async write(objects: readonly Buffer[]): Promise<void> {
    await Promise.all(objects.map(bytes => this.store.write(once(bytes), { maxBytes: bytes.length })));
  }
}

/** Everything a publish leaves in the blob store. */
function objectsOf({ manifest, bundle, digest, signature }: SignedPack) {
  const config = encodePackConfig(manifest);
  const packManifest = encodePackManifest(
    manifest,
    { mediaType: MEDIA_TYPES.packConfig, digest: sha256(config), size: config.length },
    { mediaType: MEDIA_TYPES.packBundle, digest, size: bundle.length },
  );
  const signatureBlob = { mediaType: MEDIA_TYPES.sigstoreBundle, digest: sha256(signature), size: signature.length };
  const signatureManifest = encodeSignatureManifest(signatureBlob, packManifest);
  return { bundle, signature, config, manifest: packManifest.bytes, signatureManifest: signatureManifest.bytes, emptyConfig: EMPTY_JSON };
}

async function* once(bytes: Uint8Array): AsyncIterable<Uint8Array> {
  yield bytes;
}
