import { MANIFEST_MAX_BYTES, type Digest } from '@packs/domain';
import { readWhole, type BlobStore, type StoredBlob } from '@packs/ports';
import { LRUCache } from 'lru-cache';
import { readyBody, type ReadyBody } from '../../serving/send-ready';

const CACHE_BYTES = 64 * 1024 * 1024;
/** Larger ones are rare, and would push many small ones out. */
const CACHED_MAX_BYTES = 256 * 1024;

/** Bytes of manifests and small blobs. What is under a digest never changes, so it may be kept; who may have it is asked elsewhere, each time. */
export class SmallContent {
  private readonly kept = new LRUCache<Digest, ReadyBody>({ maxSize: CACHE_BYTES, sizeCalculation: body => body.length + 256 });

  constructor(private readonly blobs: BlobStore) {}

  /** Without waiting, when it is here. */
  ready(digest: Digest): ReadyBody | undefined {
    return this.kept.get(digest);
  }

  /** @throws DomainError ERR_PACK_CORRUPT */
  async read(blob: StoredBlob): Promise<ReadyBody> {
    const body = readyBody(await readWhole(this.blobs, blob, MANIFEST_MAX_BYTES));
    if (body.length <= CACHED_MAX_BYTES) this.kept.set(blob.digest, body);
    return body;
  }
}
