import { DeleteContent as DeleteContentCommand, type DeleteContentRequest } from '@packs/contracts';
import { parseContentDigest, parseReference } from '@packs/domain';
import type { CommandBus } from '@packs/ports';
import type { RepositoryCall, RepositoryOperation } from '../operation';
import { originOf } from '../origin';

type Target = DeleteContentRequest['target'];

/** DELETE of a tag, a manifest or a blob (distribution-spec "Content Management"). */
export class DeleteContent implements RepositoryOperation {
  readonly action = 'delete';

  /** @param targetOf what the last part of the path names */
  constructor(
    private readonly commands: CommandBus,
    private readonly targetOf: (reference: string) => Target,
  ) {}

  async handle(call: RepositoryCall): Promise<unknown> {
    const { reply, name, reference } = call;
    const target = this.targetOf(reference);
    await this.commands.send(DeleteContentCommand, { ...originOf(call), repository: name.repository, target });
    return reply.status(202).header('content-length', '0').send('');
  }
}

/** @throws DomainError ERR_OCI_REFERENCE_INVALID, ERR_PACK_DIGEST_INVALID */
export function manifestTarget(reference: string): Target {
  const parsed = parseReference(reference);
  return 'tag' in parsed ? parsed : { manifest: parsed.digest };
}

/** @throws DomainError ERR_PACK_DIGEST_INVALID */
export function blobTarget(reference: string): Target {
  return { blob: parseContentDigest(reference) };
}
