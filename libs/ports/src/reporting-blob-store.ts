import { QuarantineBlob } from '@packs/contracts';
import { DomainError, type Digest, type DigestAlgorithm } from '@packs/domain';
import {
  BlobStore,
  type AppendedUpload,
  type BlobRef,
  type BlockReceiver,
  type ByteRange,
  type ByteSource,
  type PartialUpload,
  type StoredBlob,
  type WriteExpectation,
} from './blob-store';
import type { CommandBus } from './command-bus';
import { isQuarantined } from './quarantine';

/** Reports under way at a time; a reader that finds more has them found again by the next reader. */
const MAX_REPORTS = 64;

/** Tells the publisher of damage that readers of this process found. Nobody waits for it. */
export class DamageReports {
  private readonly underWay = new Set<Digest>();

  constructor(
    private readonly commands: CommandBus,
    private readonly reporter: string,
    private readonly failed: (error: unknown, digest: Digest) => void,
  ) {}

  report({ digest, objectKey }: BlobRef): void {
    if (isQuarantined({ objectKey }) || this.underWay.has(digest) || this.underWay.size >= MAX_REPORTS) return;
    this.underWay.add(digest);
    this.commands
      .send(QuarantineBlob, { digest, objectKey, reporter: this.reporter })
      .catch((error: unknown) => this.failed(error, digest))
      .finally(() => this.underWay.delete(digest));
  }
}

/** A store whose readers report the damage they find. */
export class ReportingBlobStore extends BlobStore {
  constructor(
    private readonly beneath: BlobStore,
    private readonly reports: DamageReports,
  ) {
    super();
  }

  async *read(blob: BlobRef & Partial<StoredBlob>, range?: ByteRange): AsyncIterable<Uint8Array> {
    try {
      yield* this.beneath.read(blob, range);
    } catch (error) {
      this.reportDamage(blob, error);
      throw error;
    }
  }

  override async deliver(blob: BlobRef & Partial<StoredBlob>, receiver: BlockReceiver, range?: ByteRange): Promise<void> {
    try {
      await this.beneath.deliver(blob, receiver, range);
    } catch (error) {
      this.reportDamage(blob, error);
      throw error;
    }
  }

  override async readBytes(blob: BlobRef): Promise<Buffer> {
    try {
      return await this.beneath.readBytes(blob);
    } catch (error) {
      this.reportDamage(blob, error);
      throw error;
    }
  }

  override damaged(blob: BlobRef): void {
    this.reports.report(blob);
  }

  write(source: ByteSource, expect: WriteExpectation): Promise<StoredBlob> {
    return this.beneath.write(source, expect);
  }

  override writeBytes(bytes: Uint8Array, digest?: Digest): Promise<StoredBlob> {
    return this.beneath.writeBytes(bytes, digest);
  }

  begin(algorithm: DigestAlgorithm): Promise<PartialUpload> {
    return this.beneath.begin(algorithm);
  }

  append(upload: PartialUpload, source: ByteSource, maxBytes: number): Promise<AppendedUpload> {
    return this.beneath.append(upload, source, maxBytes);
  }

  finish(upload: PartialUpload, digest: Digest): Promise<StoredBlob> {
    return this.beneath.finish(upload, digest);
  }

  discard(upload: PartialUpload): Promise<void> {
    return this.beneath.discard(upload);
  }

  override redirect(blob: BlobRef, seconds: number): Promise<URL | undefined> {
    return this.beneath.redirect(blob, seconds);
  }

  remove(objectKey: string): Promise<void> {
    return this.beneath.remove(objectKey);
  }

  check(): Promise<void> {
    return this.beneath.check();
  }

  private reportDamage(blob: BlobRef, error: unknown): void {
    if (error instanceof DomainError && error.code === 'ERR_PACK_CORRUPT') this.damaged(blob);
  }
}
