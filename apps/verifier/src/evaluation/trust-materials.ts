import { Injectable } from '@nestjs/common';
import { DomainError, type Digest, type Revocations } from '@packs/domain';
import { BlobStore, readWhole, type BlobRef } from '@packs/ports';
import { encodeTrustMaterial, readTrustMaterial } from '@packs/sigstore';
import { LRUCache } from 'lru-cache';

const MAX_MATERIAL_BYTES = 512 * 1024;
const NOTHING = encodeTrustMaterial({ keys: [] });

/** A tenant's trust as a request names it. */
export interface TrustRef {
  readonly digest: Digest;
  readonly epoch: number;
  readonly material: BlobRef | null;
}

/** Trust material as it is stored, found to be acceptable; those who verify parse it once for themselves. */
export interface CheckedMaterial {
  readonly bytes: Uint8Array;
  readonly revoked?: Revocations;
}

@Injectable()
export class TrustMaterials {
  private readonly checked = new LRUCache<Digest, CheckedMaterial>({
    max: 256,
    maxSize: 32 * 1024 * 1024,
    sizeCalculation: ({ bytes }) => bytes.length,
  });

  constructor(private readonly blobs: BlobStore) {}

  /** @throws DomainError ERR_PACK_TRUST_INVALID | ERR_PACK_CORRUPT */
  async of({ digest, material }: TrustRef): Promise<CheckedMaterial> {
    if (!material) return { bytes: NOTHING };
    if (material.digest !== digest) throw new DomainError('ERR_PACK_TRUST_INVALID', `the trust material is not that of ${digest}`);
    const known = this.checked.get(digest);
    if (known) return known;
    const bytes = await readWhole(this.blobs, material, MAX_MATERIAL_BYTES);
    const { revoked } = readTrustMaterial(bytes);
    const checked: CheckedMaterial = { bytes, ...(revoked && { revoked }) };
    this.checked.set(digest, checked);
    return checked;
  }
}
