import { DomainError } from '@packs/domain';
import { corruptReads } from '@packs/observability';
import { requireSound, type BlobRef, type BlobStore, type StoredBlob } from '@packs/ports';
import { reprDigest, type BundleSender } from '../../serving/send-bundle';
import type { ReadyBody } from '../../serving/send-ready';
import type { RepositoryCall, RepositoryOperation } from '../operation';
import type { ReadableContent } from './readable-content';
import { readyHeads, sendContent, type ReadyHeads } from './ready-heads';
import type { SmallContent } from './small-content';

/** Where a client gets a blob instead, if anywhere. */
export type BlobRedirect = (blob: BlobRef) => Promise<URL | undefined>;

/** @param seconds that an address is good for; undefined: nobody is sent elsewhere */
export function redirectTo(blobs: BlobStore, seconds: number | undefined): BlobRedirect | undefined {
  return seconds === undefined ? undefined : blob => blobs.redirect(blob, seconds);
}

export interface BlobSenders {
  readonly content: SmallContent;
  readonly sender: BundleSender;
  readonly redirect: BlobRedirect | undefined;
}

const MEDIA_TYPE = 'application/octet-stream';
/** Up to here a blob is read whole, proven, and kept for the next who asks. */
const SMALL_BYTES = 64 * 1024;

/** GET and HEAD of a blob, whole or in part (distribution-spec "Pulling blobs"). */
export class GetBlob implements RepositoryOperation {
  readonly action = 'pull';
  /** Of answers that are kept they are made once. */
  private readonly heads = new WeakMap<StoredBlob, ReadyHeads>();

  constructor(
    private readonly readable: ReadableContent,
    private readonly senders: BlobSenders,
  ) {}

  async handle({ request, reply, view, reference }: RepositoryCall): Promise<unknown> {
    const blob = await this.readable.blob(view, reference);
    const { redirect, sender } = this.senders;
    const place = redirect && request.method === 'GET' ? await redirect(blob) : undefined;
    const digest = { 'docker-content-digest': blob.digest };
    // The address is good for whoever has it: it goes into no cache.
    if (place) return reply.headers({ ...digest, 'cache-control': 'no-store' }).redirect(place.href, 307);
    const streamed = request.method === 'GET' && (blob.size > SMALL_BYTES || request.headers.range !== undefined);
    if (streamed) return sender.sendBlob(blob, { mediaType: MEDIA_TYPE }, request, reply.headers(digest));
    const { content } = this.senders;
    return sendContent(this.headsOf(blob), request, reply, () => content.ready(blob.digest) ?? this.read(blob));
  }

  private async read(blob: StoredBlob): Promise<ReadyBody> {
    try {
      return await this.senders.content.read(blob);
    } catch (error) {
      if (error instanceof DomainError && error.code === 'ERR_PACK_CORRUPT') corruptReads.inc();
      throw error;
    }
  }

  /** @throws DomainError ERR_PACK_CORRUPT */
  private headsOf(blob: StoredBlob): ReadyHeads {
    const known = this.heads.get(blob);
    if (known) return known;
    requireSound(blob);
    const heads = readyHeads({ ...blob, mediaType: MEDIA_TYPE }, { 'accept-ranges': 'bytes', 'repr-digest': reprDigest(blob.digest) });
    this.heads.set(blob, heads);
    return heads;
  }
}
