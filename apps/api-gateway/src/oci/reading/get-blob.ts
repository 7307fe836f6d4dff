import type { BundleSender } from '../../serving/send-bundle';
import type { RepositoryCall, RepositoryOperation } from '../operation';
import type { ReadableContent } from './readable-content';

/** GET and HEAD of a blob, whole or in part (distribution-spec "Pulling blobs"). */
export class GetBlob implements RepositoryOperation {
  readonly action = 'pull';

  constructor(
    private readonly readable: ReadableContent,
    private readonly sender: BundleSender,
  ) {}

  async handle({ request, reply, view, reference }: RepositoryCall): Promise<unknown> {
    const blob = await this.readable.blob(view, reference);
    void reply.header('docker-content-digest', blob.digest);
    return this.sender.sendBlob(blob, { mediaType: 'application/octet-stream' }, request, reply);
  }
}
