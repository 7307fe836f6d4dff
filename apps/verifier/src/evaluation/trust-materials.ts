import { Injectable } from '@nestjs/common';
import { DomainError, sha256, type Digest, type Revocations } from '@packs/domain';
import { BlobStore, readWhole, type BlobRef } from '@packs/ports';
import { encodeTrustMaterial, readTrustMaterial } from '@packs/sigstore';
import { LRUCache } from 'lru-cache';

const MAX_MATERIAL_BYTES = 512 * 1024;
const NOTHING = encodeTrustMaterial({ keys: [] });
const NOTHING_DIGEST = sha256(NOTHING);

/** A tenant's trust as a request names it. */
export interface TrustRef {
  readonly digest: Digest;
  readonly epoch: number;
  readonly material: BlobRef | null;
}

/** As it is stored, and what of it is asked before anything is verified. */
export interface CheckedMaterial {
  readonly bytes: Uint8Array;
  readonly revoked?: Revocations;
}

/** Trust material as it is stored, found to be acceptable; those who verify parse it once for themselves. */
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
    if ((material?.digest ?? NOTHING_DIGEST) !== digest)
      throw new DomainError('ERR_PACK_TRUST_INVALID', `the trust material is not that of ${digest}`);
    if (!material) return { bytes: NOTHING };
    const known = this.checked.get(digest);
    if (known) return known;
    const bytes = await readWhole(this.blobs, material, MAX_MATERIAL_BYTES);
    const { revoked } = readTrustMaterial(bytes);
    const checked: CheckedMaterial = { bytes, ...(revoked && { revoked }) };
    this.checked.set(digest, checked);
    return checked;
  }
}
