import { DomainError, type Digest, type RepositoryName } from '@packs/domain';
import type { BlobStore, StoredBlob, UploadSessions } from '@packs/ports';
import { HeldUpload, isUploadId, takenOver, unknownUpload } from './held-upload';
import { interrupted, type RequestBody } from './request-body';
import { storingFault } from './storing-fault';

/** A body of at most this size is written as a blob at once; of a longer one is kept what came before its connection broke. */
const AT_ONCE_BYTES = 16 * 1024 * 1024;
/** How much a client may have to send again when this process ends. */
const SEGMENT_BYTES = 64 * 1024 * 1024;

/** Takes the bytes of uploads into the blob store. Memory does not grow with them. */
export class UploadReceiver {
  constructor(
    private readonly sessions: UploadSessions,
    private readonly blobs: BlobStore,
    private readonly maxBlobBytes: number,
  ) {}

  /** Works on a session as its only writer. Whatever becomes of it, the client can go on with what arrived. */
  async during<T>(of: RepositoryName, id: string, body: RequestBody | undefined, work: (held: HeldUpload) => Promise<T>): Promise<T> {
    const held = await HeldUpload.take(this.sessions, of, id, body);
    try {
      return await work(held);
    } catch (error) {
      // When it cannot be given back, its lease runs out by itself; what is answered is why the work failed.
      const wasOurs = await this.giveUp(of, id, held, error).catch(() => true);
      if (isLost(error)) throw unknownUpload();
      // What another did with the pieces since is why it failed.
      throw wasOurs || error instanceof DomainError ? storingFault(error) : takenOver();
    } finally {
      held.stop();
    }
  }

  /** Appends the body, of `length` bytes where that is known, to what the session has. */
  async append(held: HeldUpload, body: RequestBody, length: number | undefined): Promise<void> {
    const most = length === undefined ? this.maxBlobBytes : held.size + length;
    if (most > this.maxBlobBytes) throw this.tooLarge();
    held.upload ??= await this.blobs.begin(held.session.algorithm);
    while (!body.ended) {
      const room = SEGMENT_BYTES - (held.upload.size % SEGMENT_BYTES);
      const { upload, ...appended } = await this.blobs.append(held.upload, body.upTo(room), most);
      held.upload = upload;
      if (appended.interrupted !== undefined) throw interrupted(appended.interrupted);
      if (!body.ended) await held.save();
    }
  }

  /** What the session has, and the rest that comes now, as a proven blob. */
  async finish(held: HeldUpload, body: RequestBody, rest: { length: number | undefined; digest: Digest }): Promise<StoredBlob> {
    if (held.upload === null && rest.length !== undefined && rest.length <= AT_ONCE_BYTES) {
      return this.write(body, rest.length, rest.digest);
    }
    if (rest.length !== 0) await this.append(held, body, rest.length);
    held.work();
    held.upload ??= await this.blobs.begin(held.session.algorithm);
    return this.blobs.finish(held.upload, rest.digest);
  }

  /**
   * Takes a small blob that came whole to a session nobody holds, in one go. Where the session is another's at the moment, or has bytes, or the bytes are not
   * the digest's, or too many, the body is given back.
   * @returns the blob that the session has ended with, and the record of it that holds
   */
  async takeWhole(
    body: RequestBody,
    {
      to,
      actor,
      session,
      digest,
    }: { readonly to: RepositoryName; readonly actor: string; readonly session: string; readonly digest: Digest },
  ): Promise<{ readonly written: StoredBlob; readonly recorded: StoredBlob } | undefined> {
    const bytes = await body.whole().catch((error: unknown) => {
      throw interrupted(error);
    });
    const isLikely = isUploadId(session) && bytes.length <= this.maxBlobBytes;
    const written = isLikely ? await this.writeWhole(bytes, digest) : undefined;
    const recorded = written && (await this.unlessSealed(written, () => this.sessions.linkWhole(to, actor, written, session)));
    if (written && typeof recorded === 'object') return { written, recorded };
    if (written) await this.blobs.remove(written.objectKey);
    body.putBack(bytes);
    return undefined;
  }

  private async writeWhole(bytes: Buffer, digest: Digest): Promise<StoredBlob | undefined> {
    try {
      return await this.blobs.writeBytes(bytes, digest);
    } catch (error) {
      if (isMismatch(error)) return undefined;
      throw storingFault(error);
    }
  }

  /** A whole blob that needs no session. */
  async write(body: RequestBody, length: number | undefined, digest: Digest): Promise<StoredBlob> {
    const maxBytes = length ?? this.maxBlobBytes;
    if (maxBytes > this.maxBlobBytes) throw this.tooLarge();
    try {
      return await this.blobs.write(body.upTo(Infinity), { maxBytes, digest });
    } catch (error) {
      throw body.isBroken ? interrupted(error) : storingFault(error);
    }
  }

  /** Makes a written blob one of the repository's. @returns the record that holds */
  async link(to: RepositoryName, actor: string, written: StoredBlob, held?: HeldUpload): Promise<StoredBlob> {
    return this.unlessSealed(written, () => this.sessions.link(to, actor, written, held?.session.id), held);
  }

  private async unlessSealed<T>(written: StoredBlob, link: () => Promise<T>, held?: HeldUpload): Promise<T> {
    try {
      return await link();
    } catch (error) {
      // Only where it is certain that nothing was recorded: an answer of the database may have been lost, and who took the upload over
      // finishes the same object.
      if (error instanceof DomainError && error.code === 'ERR_PACK_SEALED' && (await held?.isOurs()) !== false)
        await this.blobs.remove(written.objectKey);
      throw error;
    }
  }

  /** Clears away the bytes of a blob that was recorded before: the earlier object is the one that is read. */
  async dropDuplicate(written: StoredBlob, recorded: StoredBlob): Promise<void> {
    if (written.objectKey !== recorded.objectKey) await this.blobs.remove(written.objectKey);
  }

  /** Ends an upload without a blob, in the store as well. */
  async cancel(held: HeldUpload): Promise<void> {
    await held.remove();
    if (held.upload) await this.blobs.discard(held.upload);
  }

  /** @returns whether it was still ours to give up */
  private async giveUp(of: RepositoryName, id: string, held: HeldUpload, error: unknown): Promise<boolean> {
    if (isLost(error) || isMismatch(error)) return held.remove();
    if (await held.release()) return true;
    // Another writer that took over may need the pieces from before; when the session has ended nobody does.
    if (held.upload && !(await this.sessions.find(of, id))) await this.blobs.discard(held.upload);
    return false;
  }

  private tooLarge(): DomainError {
    const maxBytes = this.maxBlobBytes;
    return new DomainError('ERR_PACK_TOO_LARGE', `a blob may have ${maxBytes} bytes`, { details: { maxBytes } });
  }
}

/** The blob store does not have what it reported. */
function isLost(error: unknown): boolean {
  return error instanceof DomainError && error.code === 'ERR_PACK_NOT_FOUND';
}

function isMismatch(error: unknown): boolean {
  return error instanceof DomainError && error.code === 'ERR_PACK_DIGEST_MISMATCH';
}
