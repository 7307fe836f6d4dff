import { KIT_PREDICATE_TYPE, type KitManifest } from '@packs/contracts';
import { canonicalJson, digestHex, sha256 } from '@packs/domain';
import type { BlobStore, ContentCatalog, StatementSigner, StoredBlob } from '@packs/ports';

const SIGNATURE_MAX_BYTES = 256 * 1024;

/** Stores a kit and its signature, and records them as content. */
export class SealKit {
  constructor(
    private readonly blobs: BlobStore,
    private readonly catalog: ContentCatalog,
    private readonly signer: StatementSigner,
  ) {}

  async execute(
    manifest: KitManifest,
    bytes: AsyncIterable<Uint8Array>,
    size: number,
  ): Promise<{ kit: StoredBlob; signature: StoredBlob }> {
    const kit = await this.blobs.write(bytes, { maxBytes: size });
    const document = await this.signer.sign({
      subjects: [
        { name: `${manifest.source.tenant}-${manifest.generation}-${digestHex(kit.digest).slice(0, 12)}.tar`, digest: kit.digest },
        // So that whoever has read a kit can hold what it says against the signature without the archive.
        { name: 'offline/packs/manifest.json', digest: sha256(canonicalJson(manifest)) },
      ],
      predicateType: KIT_PREDICATE_TYPE,
      predicate: {
        generation: manifest.generation,
        source: manifest.source,
        selection: manifest.selection,
        versions: manifest.versions.length,
        size: kit.size,
      },
    });
    const signature = await this.blobs.write(once(document), { maxBytes: SIGNATURE_MAX_BYTES });
    const written = [kit, signature];
    const [keptKit = kit, keptSignature = signature] = await this.catalog.record(written);
    // The same kit was made before: the copy just written is nobody's.
    for (const [at, kept] of [keptKit, keptSignature].entries()) {
      const own = written[at];
      if (own && own.objectKey !== kept.objectKey) await this.blobs.remove(own.objectKey);
    }
    return { kit: keptKit, signature: keptSignature };
  }
}

async function* once(bytes: Uint8Array): AsyncIterable<Uint8Array> {
  yield bytes;
}
