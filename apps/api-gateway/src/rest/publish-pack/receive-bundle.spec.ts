import { MEDIA_TYPES, sha256 } from '@packs/domain';
import { ContentCatalog, type StoredBlob } from '@packs/ports';
import { eventually, InMemoryBlobStore } from '@packs/testing';
import { BundleReceiver } from './receive-bundle';

const BUNDLE = Buffer.from('bundle');
const SIGNATURE = { mediaType: MEDIA_TYPES.sigstoreBundle, content: Buffer.from('signature') };

class Catalog extends ContentCatalog {
  async record(blobs: readonly StoredBlob[]): Promise<StoredBlob[]> {
    return [...blobs];
  }
}

class Store extends InMemoryBlobStore {
  readonly written: StoredBlob[] = [];
  readonly removed: string[] = [];
  fault: Error | undefined;

  override async writeBytes(...of: Parameters<InMemoryBlobStore['writeBytes']>): Promise<StoredBlob> {
    if (this.fault) throw this.fault;
    return super.writeBytes(...of);
  }

  /** Bytes in memory go this way as well. */
  override async write(...of: Parameters<InMemoryBlobStore['write']>): Promise<StoredBlob> {
    const blob = await super.write(...of);
    this.written.push(blob);
    return blob;
  }

  override async remove(objectKey: string): Promise<void> {
    this.removed.push(objectKey);
    await super.remove(objectKey);
  }
}

describe('BundleReceiver', () => {
  const store = () => new Store();
  const receive = (blobs: Store, source: AsyncIterable<Uint8Array>, digest = sha256(BUNDLE)) =>
    new BundleReceiver(blobs, new Catalog(), 1_000).store(source, [SIGNATURE], digest);
  async function* arriving(until: Promise<void> = Promise.resolve()): AsyncIterable<Uint8Array> {
    await until;
    yield BUNDLE;
  }

  it('stores signatures while the bundle is still arriving', async () => {
    const blobs = store();
    const rest = Promise.withResolvers<void>();
    const receiving = receive(blobs, arriving(rest.promise));
    await eventually(() => expect(blobs.written.map(({ digest }) => digest)).toContain(sha256(SIGNATURE.content)));
    rest.resolve();
    expect(await receiving).toMatchObject({
      bundle: { digest: sha256(BUNDLE) },
      signatures: [{ digest: sha256(SIGNATURE.content), mediaType: MEDIA_TYPES.sigstoreBundle }],
    });
    expect(blobs.removed).toEqual([]);
  });

  it('keeps no signature of a bundle that is not the declared one', async () => {
    const blobs = store();
    await expect(receive(blobs, arriving(), sha256('else'))).rejects.toMatchObject({ code: 'ERR_PACK_DIGEST_MISMATCH' });
    expect(blobs.written.map(({ objectKey }) => objectKey)).toEqual(blobs.removed);
    expect(blobs.removed).toHaveLength(1);
  });

  it('keeps no bundle whose signature could not be stored', async () => {
    const blobs = store();
    blobs.fault = new Error('the disk is full');
    await expect(receive(blobs, arriving())).rejects.toThrow('the disk is full');
    expect(blobs.written.map(({ objectKey }) => objectKey)).toEqual(blobs.removed);
    expect(blobs.removed).toHaveLength(1);
  });
});
