import { Injectable } from '@nestjs/common';
import { DomainError, type Digest, type TrustMaterial } from '@packs/domain';
import { BlobStore, readWhole, type BlobRef } from '@packs/ports';
import { readTrustMaterial } from '@packs/sigstore';
import { LRUCache } from 'lru-cache';

const MAX_MATERIAL_BYTES = 512 * 1024;
const NOTHING: TrustMaterial = { keys: [] };

/** A tenant's trust as a request names it. */
export interface TrustRef {
  readonly digest: Digest;
  readonly epoch: number;
  readonly material: BlobRef | null;
}

/** Trust material by its digest, parsed once while it is in use. */
@Injectable()
export class TrustMaterials {
  private readonly parsed = new LRUCache<Digest, TrustMaterial>({ max: 256 });

  constructor(private readonly blobs: BlobStore) {}

  /** @throws DomainError ERR_PACK_TRUST_INVALID | ERR_PACK_CORRUPT */
  async of({ digest, material }: TrustRef): Promise<TrustMaterial> {
    if (!material) return NOTHING;
    if (material.digest !== digest) throw new DomainError('ERR_PACK_TRUST_INVALID', `the trust material is not that of ${digest}`);
    const known = this.parsed.get(digest);
    if (known) return known;
    const read = readTrustMaterial(await readWhole(this.blobs, material, MAX_MATERIAL_BYTES));
    this.parsed.set(digest, read);
    return read;
  }
}
