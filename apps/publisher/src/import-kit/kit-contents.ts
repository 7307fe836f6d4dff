import { KIT_PLAN_MAX_BYTES, KitPlanSchema, type ImportKitRequest, type KitManifest, type KitVersion } from '@packs/contracts';
import {
  canonicalJson,
  DomainError,
  PACK_MANIFEST_MAX_BYTES,
  sha256,
  type Digest,
  type EncodedManifest,
  type PackManifest,
  type TrustedKey,
} from '@packs/domain';
import { checkMessage } from '@packs/messaging';
import { kitBlobs, parseKitManifest } from '@packs/pack-format';
import { readWhole, type BlobRef, type BlobStore, type StoredBlob } from '@packs/ports';
import { MAX_SIGNATURE_BYTES, verifyKitSignature, type KitExporter } from '@packs/sigstore';

const CONFIG_MAX_BYTES = 1024 * 1024;

/** What a kit says, proven to be what its exporter signed, with the staged bytes behind it. */
export class KitContents {
  private constructor(
    readonly manifest: KitManifest,
    readonly exporter: KitExporter,
    readonly blobs: readonly StoredBlob[],
    private readonly located: ReadonlyMap<Digest, StoredBlob>,
    private readonly store: BlobStore,
  ) {}

  /**
   * The plan comes from another process: that an exporter of this tenant has signed what it says is proven again here.
   * @throws DomainError ERR_KIT_SIGNER, ERR_KIT_TENANT, ERR_KIT_BLOB_MISSING
   */
  static async read(
    store: BlobStore,
    { tenant, plan, signature }: ImportKitRequest,
    exporters: readonly TrustedKey[],
  ): Promise<KitContents> {
    const stored = await readWhole(store, plan, KIT_PLAN_MAX_BYTES);
    const { manifest: stated, blobs } = checkMessage(KitPlanSchema, JSON.parse(stored.toString('utf8')), 'the plan of an import');
    const bytes = Buffer.from(canonicalJson(stated));
    const manifest = parseKitManifest(bytes);
    const { exporter, isAbout } = verifyKitSignature(await readWhole(store, signature, MAX_SIGNATURE_BYTES), sha256(bytes), exporters);
    if (!isAbout) throw new DomainError('ERR_KIT_SIGNER', 'what is to be imported is not what the exporter has signed');
    if (manifest.source.tenant !== tenant)
      throw new DomainError('ERR_KIT_TENANT', `the kit holds packs of ${manifest.source.tenant}, not of ${tenant}`);
    const located = new Map(blobs.map(blob => [blob.digest, blob]));
    const missing = kitBlobs(manifest).find(({ digest, size }) => located.get(digest)?.size !== size);
    if (missing)
      throw new DomainError('ERR_KIT_BLOB_MISSING', `the blob ${missing.digest} was not staged`, { details: { digest: missing.digest } });
    return new KitContents(manifest, exporter, blobs, located, store);
  }

  stored({ digest }: { readonly digest: Digest }): StoredBlob {
    const found = this.located.get(digest);
    if (!found) throw new DomainError('ERR_KIT_BLOB_MISSING', `the blob ${digest} was not staged`, { details: { digest } });
    return found;
  }

  ref(descriptor: { readonly digest: Digest }): BlobRef {
    const { digest, size, objectKey } = this.stored(descriptor);
    return { digest, size, objectKey };
  }

  refOf<D extends { readonly digest: Digest; readonly mediaType: string }>(document: D): BlobRef & { readonly mediaType: D['mediaType'] } {
    return { ...this.ref(document), mediaType: document.mediaType };
  }

  /** A document of the registry's own, such as a policy, by its digest. */
  async json<T>(descriptor: { readonly digest: Digest }): Promise<T> {
    return JSON.parse((await readWhole(this.store, this.ref(descriptor), CONFIG_MAX_BYTES)).toString('utf8')) as T;
  }

  packManifest({ config }: KitVersion): Promise<PackManifest> {
    return this.json<PackManifest>(config);
  }

  /** An OCI manifest byte for byte. */
  async encoded(manifest: KitVersion['manifest']): Promise<EncodedManifest> {
    const bytes = await readWhole(this.store, this.ref(manifest), PACK_MANIFEST_MAX_BYTES);
    const { annotations = {} } = JSON.parse(bytes.toString('utf8')) as Partial<EncodedManifest>;
    return { ...manifest, bytes, annotations };
  }
}
