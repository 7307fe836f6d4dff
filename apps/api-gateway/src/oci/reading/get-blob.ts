import type { BlobRef, BlobStore } from '@packs/ports';
import type { BundleSender } from '../../serving/send-bundle';
import type { RepositoryCall, RepositoryOperation } from '../operation';
import type { ReadableContent } from './readable-content';

/** Where a client gets a blob instead, if anywhere. */
export type BlobRedirect = (blob: BlobRef) => Promise<URL | undefined>;

/** @param seconds that an address is good for; undefined: nobody is sent elsewhere */
export function redirectTo(blobs: BlobStore, seconds: number | undefined): BlobRedirect {
  return async blob => (seconds === undefined ? undefined : blobs.redirect(blob, seconds));
}

/** GET and HEAD of a blob, whole or in part (distribution-spec "Pulling blobs"). */
export class GetBlob implements RepositoryOperation {
  readonly action = 'pull';

  constructor(
    private readonly readable: ReadableContent,
    private readonly sender: BundleSender,
    private readonly redirect: BlobRedirect,
  ) {}

  async handle({ request, reply, view, reference }: RepositoryCall): Promise<unknown> {
    const blob = await this.readable.blob(view, reference);
    void reply.header('docker-content-digest', blob.digest);
    const place = request.method === 'GET' ? await this.redirect(blob) : undefined;
    // The address is good for whoever has it: it goes into no cache.
    if (place) return reply.header('cache-control', 'no-store').redirect(place.href, 307);
    return this.sender.sendBlob(blob, { mediaType: 'application/octet-stream' }, request, reply);
  }
}
