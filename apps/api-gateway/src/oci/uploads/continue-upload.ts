import type { RepositoryCall, RepositoryOperation } from '../operation';
import { takenOver } from './held-upload';
import { RequestBody } from './request-body';
import { nextChunk, standing } from './upload-answers';
import type { UploadReceiver } from './upload-receiver';
import { hasBody } from './upload-request';

/** PATCH: the next chunk of an upload, or a stream of any length (distribution-spec "Pushing a blob in chunks"). */
export class ContinueUpload implements RepositoryOperation {
  readonly action = 'push';

  constructor(private readonly receiver: UploadReceiver) {}

  async handle(call: RepositoryCall): Promise<unknown> {
    const { request, reply, name, reference } = call;
    const body = new RequestBody(request.raw);
    const size = await this.receiver.during(name, reference, body, async held => {
      const length = nextChunk(call, held.size);
      if (hasBody(request.raw)) await this.receiver.append(held, body, length);
      if (!(await held.release())) throw takenOver();
      return held.size;
    });
    return standing(reply, name, reference, size).status(202).header('content-length', '0').send('');
  }
}
