import type { RepositoryCall, RepositoryOperation } from '../operation';
import { RequestBody } from './request-body';
import { created, nextChunk } from './upload-answers';
import type { UploadReceiver } from './upload-receiver';
import { hasBody, isWhole, parseFinish, sendsLittle } from './upload-request';

/** PUT: the last bytes of an upload, all of them or none, and the digest that they must have together. */
export class FinishUpload implements RepositoryOperation {
  readonly action = 'push';
  readonly sendsLittle = sendsLittle;

  constructor(private readonly receiver: UploadReceiver) {}

  async handle(call: RepositoryCall): Promise<unknown> {
    const { request, reply, name, caller, reference } = call;
    const digest = parseFinish(request.raw.url ?? '');
    const body = new RequestBody(request.raw);
    if (isWhole(request.raw)) {
      const whole = await this.receiver.takeWhole(body, { to: name, actor: caller.actor, session: reference, digest });
      if (whole) {
        await created(reply, name, digest);
        return this.receiver.dropDuplicate(whole.written, whole.recorded);
      }
    }
    const { written, recorded } = await this.receiver.during(name, reference, body, async held => {
      const length = nextChunk(call, held.size);
      const blob = await this.receiver.finish(held, body, { length: hasBody(request.raw) ? length : 0, digest });
      return { written: blob, recorded: await this.receiver.link(name, caller.actor, blob, held) };
    });
    await created(reply, name, digest);
    return this.receiver.dropDuplicate(written, recorded);
  }
}
