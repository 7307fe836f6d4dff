import type { TrustedKey } from '@packs/domain';
import { readWhole, type BlobStore, type KitRecords } from '@packs/ports';
import { readTrustMaterial } from '@packs/sigstore';

const KEYS_MAX_BYTES = 512 * 1024;

/** The keys whose kits a tenant takes: those it has named itself, and those the installation was given. */
export class TrustedExporters {
  constructor(
    private readonly records: KitRecords,
    private readonly blobs: BlobStore,
    private readonly installed: readonly TrustedKey[],
  ) {}

  async of(tenant: string): Promise<readonly TrustedKey[]> {
    const named = await this.records.exporters(tenant);
    const own = named ? readTrustMaterial(await readWhole(this.blobs, named, KEYS_MAX_BYTES)).keys : [];
    return [...own, ...this.installed.filter(key => own.every(other => other.publicKey !== key.publicKey))];
  }
}
