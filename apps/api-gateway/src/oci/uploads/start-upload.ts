import { createHash } from 'node:crypto';
import { digestAlgorithm, digestHex, type Digest, type RepositoryName } from '@packs/domain';
import type { UploadSessions } from '@packs/ports';
import type { RepositoryCall, RepositoryOperation } from '../operation';
import { RequestBody } from './request-body';
import { created, standing } from './upload-answers';
import type { UploadReceiver } from './upload-receiver';
import { contentLength, hasBody, parseStart, sendsLittle, type StartRequest } from './upload-request';

/** Repositories of the tenant that a blob is looked for in when the client does not say where it is. */
const MAX_HOLDERS = 20;

/**
 * POST: begins an upload, or spares it: the body is the whole blob, or another repository has it (distribution-spec "Pushing blobs"). What cannot be
 * mounted, for whatever reason, answers as an upload begun.
 */
export class StartUpload implements RepositoryOperation {
  readonly action = 'push';
  readonly sendsLittle = sendsLittle;

  constructor(
    private readonly sessions: UploadSessions,
    private readonly receiver: UploadReceiver,
    private readonly maxUploads: number,
  ) {}

  async handle(call: RepositoryCall): Promise<unknown> {
    const { request, reply, name, caller } = call;
    const start = parseStart(request.raw.url ?? '');
    if (start.mount && (await this.mount(call, start.mount))) return created(reply, name, start.mount.digest);
    if (!start.mount && start.digest && (hasBody(request.raw) || isEmpty(start.digest))) return this.store(call, start.digest);
    const id = await this.sessions.open(name, caller.actor, start.algorithm, this.maxUploads);
    return standing(reply, name, id, 0).status(202).header('content-length', '0').send('');
  }

  private async store({ request, reply, name, caller }: RepositoryCall, digest: Digest): Promise<unknown> {
    const length = hasBody(request.raw) ? contentLength(request.raw) : 0;
    const written = await this.receiver.write(new RequestBody(request.raw), length, digest);
    const recorded = await this.receiver.link(name, caller.actor, written);
    await created(reply, name, digest);
    return this.receiver.dropDuplicate(written, recorded);
  }

  private async mount({ name, caller }: RepositoryCall, { digest, from }: NonNullable<StartRequest['mount']>): Promise<boolean> {
    // Nobody asks for a token with the repositories that may have a blob in it: within the tenant, who reads and writes here reads there.
    const mayPull = ({ namespace, repository }: RepositoryName): boolean =>
      caller.may('pull', namespace, namespace === name.namespace ? name.repository : repository);
    const candidates =
      from === 'anywhere' ? await this.sessions.holders(name.namespace, digest, MAX_HOLDERS) : from === undefined ? [] : [from];
    const readable = candidates.find(mayPull);
    return readable !== undefined && (await this.sessions.mount(name, caller.actor, digest, readable)) !== undefined;
  }
}

/** Clients that name a digest and send nothing mean to send it by a PUT, unless nothing is what it is the digest of. */
function isEmpty(digest: Digest): boolean {
  return createHash(digestAlgorithm(digest)).digest('hex') === digestHex(digest);
}
