import type { RepositoryCall, RepositoryOperation } from '../operation';
import type { UploadReceiver } from './upload-receiver';

/** DELETE: ends an upload without a blob (distribution-spec "Cancel a blob upload"). */
export class CancelUpload implements RepositoryOperation {
  readonly action = 'push';

  constructor(private readonly receiver: UploadReceiver) {}

  async handle({ reply, name, reference }: RepositoryCall): Promise<unknown> {
    await this.receiver.during(name, reference, undefined, held => this.receiver.cancel(held));
    return reply.status(204).send();
  }
}
