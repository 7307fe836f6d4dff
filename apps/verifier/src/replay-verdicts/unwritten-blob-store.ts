import { contentDigest, DomainError } from '@packs/domain';
import {
  BlobStore,
  type AppendedUpload,
  type BlobRef,
  type BlockReceiver,
  type ByteRange,
  type PartialUpload,
  type StoredBlob,
} from '@packs/ports';

/** A store that is read and never written to. What an evaluation would keep of its findings goes nowhere. */
export class UnwrittenBlobStore extends BlobStore {
  constructor(private readonly beneath: BlobStore) {
    super();
  }

  read(blob: BlobRef & Partial<StoredBlob>, range?: ByteRange): AsyncIterable<Uint8Array> {
    return this.beneath.read(blob, range);
  }

  override readBytes(blob: BlobRef): Promise<Buffer> {
    return this.beneath.readBytes(blob);
  }

  override deliver(blob: BlobRef & Partial<StoredBlob>, receiver: BlockReceiver, range?: ByteRange): Promise<void> {
    return this.beneath.deliver(blob, receiver, range);
  }

  override async writeBytes(bytes: Uint8Array): Promise<StoredBlob> {
    return { digest: contentDigest(bytes, 'sha256'), size: bytes.length, objectKey: 'unwritten', blockChecksums: '' };
  }

  write(): Promise<StoredBlob> {
    return refuse();
  }

  begin(): Promise<PartialUpload> {
    return refuse();
  }

  append(): Promise<AppendedUpload> {
    return refuse();
  }

  finish(): Promise<StoredBlob> {
    return refuse();
  }

  discard(): Promise<void> {
    return refuse();
  }

  remove(): Promise<void> {
    return refuse();
  }

  /** Whether it can be written to is of no interest. */
  async check(): Promise<void> {}
}

async function refuse(): Promise<never> {
  throw new DomainError('ERR_PACK_INTERNAL', 'the blob store was opened for reading');
}
