import { DomainError, type Descriptor, type Digest } from '@packs/domain';
import { mirroredBytes } from '@packs/observability';
import type { BlobRef, BlobStore, ContentCatalog, RemoteManifest, RepositoryContents, StoredBlob } from '@packs/ports';
import { allSettled, Limit } from '../run-sync/limit';
import type { PullPlace } from './pull-place';

/** Blobs fetched at a time. */
const FETCHES = 4;

interface Wanted extends Pick<Descriptor, 'digest' | 'size'> {
  read(): AsyncIterable<Uint8Array>;
}

/**
 * Fetches bytes into a tenant's repository. What the repository has is not fetched again; what others have is, as nobody may have bytes by knowing
 * their digest.
 */
export class BringBlobs {
  constructor(
    private readonly blobs: BlobStore,
    private readonly catalog: ContentCatalog,
    private readonly contents: RepositoryContents,
    private readonly maxBlobBytes: number,
  ) {}

  /** @throws DomainError ERR_PACK_TOO_LARGE, ERR_PACK_LIMIT, ERR_PACK_SEALED, ERR_REGISTRY_… */
  execute(place: PullPlace, named: readonly Descriptor[]): Promise<Map<Digest, StoredBlob>> {
    return this.bring(
      place,
      named.map(blob => ({ digest: blob.digest, size: blob.size, read: () => place.from.readBlob(blob, place.signal) })),
    );
  }

  /** Bytes that are made of what came in. */
  document(place: PullPlace, wanted: Wanted): Promise<Map<Digest, StoredBlob>> {
    return this.bring(place, [wanted]);
  }

  /** A manifest is recorded with its repository by whoever takes it; here its bytes are stored. */
  async manifest({ budget }: PullPlace, { digest, size, bytes }: RemoteManifest): Promise<StoredBlob> {
    budget.takeBytes(size);
    return this.store({ digest, size, read: () => once(bytes) });
  }

  private async bring(place: PullPlace, wanted: readonly Wanted[]): Promise<Map<Digest, StoredBlob>> {
    const { tenant, repository, actor, budget, signal } = place;
    const unique = [...new Map(wanted.map(one => [one.digest, one])).values()];
    const there = new Map(
      await this.contents.blobs(
        tenant,
        repository,
        unique.map(({ digest }) => digest),
      ),
    );
    const limit = new Limit(FETCHES);
    const missing = unique.filter(({ digest }) => !there.has(digest));
    for (const { digest, size } of missing) {
      if (size > this.maxBlobBytes)
        throw new DomainError('ERR_PACK_TOO_LARGE', `${digest} has ${size} bytes; at most ${this.maxBlobBytes} are taken`);
    }
    await allSettled(
      missing.map(one =>
        limit.run(async () => {
          signal.throwIfAborted();
          budget.takeBytes(one.size);
          const stored = await this.store(one);
          await this.contents.link(tenant, repository, actor, stored);
          there.set(one.digest, stored);
        }),
      ),
    );
    return there;
  }

  private async store({ digest, size, read }: Wanted): Promise<StoredBlob> {
    const written = await this.blobs.write(read(), { maxBytes: size, digest });
    mirroredBytes.inc(written.size);
    const [recorded = written] = await this.catalog.record([written]);
    if (recorded.objectKey !== written.objectKey) await this.blobs.remove(written.objectKey);
    return recorded;
  }
}

export function refOf({ digest, size, objectKey }: BlobRef): BlobRef {
  return { digest, size, objectKey };
}

/** Of what was just brought. */
export function refIn(stored: ReadonlyMap<Digest, StoredBlob>, { digest, size }: Pick<Descriptor, 'digest' | 'size'>): BlobRef {
  const found = stored.get(digest);
  if (found?.size === size) return refOf(found);
  throw new DomainError('ERR_OCI_MANIFEST_INVALID', `the manifest was not accepted: ${digest} has not ${size} bytes`);
}

async function* once(bytes: Buffer): AsyncGenerator<Buffer> {
  yield bytes;
}
