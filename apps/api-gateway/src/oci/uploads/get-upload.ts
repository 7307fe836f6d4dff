import { DomainError } from '@packs/domain';
import type { UploadSessions } from '@packs/ports';
import type { RepositoryCall, RepositoryOperation } from '../operation';
import { isUploadId, patiently, unknownUpload } from './held-upload';
import { standing } from './upload-answers';

/** GET: where an upload stands. Bytes of a request that is still running are not counted, and one that is about to end is waited for. */
export class GetUpload implements RepositoryOperation {
  readonly action = 'push';

  constructor(private readonly sessions: UploadSessions) {}

  async handle({ reply, name, reference }: RepositoryCall): Promise<unknown> {
    if (!isUploadId(reference)) throw unknownUpload();
    const session = await patiently(async isLast => {
      const found = await this.sessions.find(name, reference);
      if (!found) throw unknownUpload();
      if (found.busy && !isLast) throw new DomainError('ERR_OCI_UPLOAD_BUSY', 'another request is sending bytes of this upload');
      return found;
    });
    return standing(reply, name, reference, session.upload?.size ?? 0)
      .status(204)
      .send();
  }
}
