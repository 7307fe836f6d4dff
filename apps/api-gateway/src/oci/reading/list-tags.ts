import { DomainError } from '@packs/domain';
import type { RepositoryReadModel } from '@packs/ports';
import type { RepositoryCall, RepositoryOperation } from '../operation';
import { nextLink, pageSize, parameter } from './list-query';

const MAX_TAGS = 10_000;

/** distribution-spec "Listing Tags". */
export class ListTags implements RepositoryOperation {
  readonly action = 'pull';

  constructor(private readonly repositories: RepositoryReadModel) {}

  async handle({ request, reply, view }: RepositoryCall): Promise<unknown> {
    const limit = pageSize(request, MAX_TAGS);
    const page = await this.repositories.listTags(view, { limit, last: parameter(request, 'last') });
    if (!page) throw new DomainError('ERR_OCI_REPOSITORY_UNKNOWN', 'there is no such repository');
    const name = `${view.namespace}/${view.repository}`;
    const last = page.items.at(-1);
    if (page.more && last !== undefined) void reply.header('link', nextLink(`/v2/${name}/tags/list`, { n: limit, last }));
    return reply.header('content-type', 'application/json').send(JSON.stringify({ name, tags: page.items }));
  }
}
