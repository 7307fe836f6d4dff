import { parseRepositoryName } from '@packs/domain';
import type { RepositoryReadModel } from '@packs/ports';
import type { OciCall } from '../operation';
import { nextLink, pageSize, parameter } from './list-query';

const MAX_REPOSITORIES = 1_000;

/** The catalog: the repositories of the caller's own namespace. What others share is found by its name. */
export function listRepositories(repositories: RepositoryReadModel): (call: OciCall) => Promise<unknown> {
  return async ({ request, reply, caller }) => {
    const limit = pageSize(request, MAX_REPOSITORIES);
    const last = parameter(request, 'last');
    const page = await repositories.listRepositories(caller.tenant ?? '', {
      limit,
      last: last === undefined ? undefined : parseRepositoryName(last),
    });
    const names = page.items.map(({ namespace, repository }) => `${namespace}/${repository}`);
    const next = names.at(-1);
    if (page.more && next !== undefined) void reply.header('link', nextLink('/v2/_catalog', { n: limit, last: next }));
    return reply.header('content-type', 'application/json').send(JSON.stringify({ repositories: names }));
  };
}
