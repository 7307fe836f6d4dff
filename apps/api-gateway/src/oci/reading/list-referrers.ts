import { isContentDigest, MEDIA_TYPES, parseContentDigest } from '@packs/domain';
import type { RepositoryReadModel } from '@packs/ports';
import type { RepositoryCall, RepositoryOperation } from '../operation';
import { nextLink, pageSize, parameter } from './list-query';

/** Descriptors with annotations: a page stays well below the size of a manifest, which is what clients let an index have. */
const MAX_REFERRERS = 500;

/** distribution-spec "Listing Referrers", found in the manifests that are stored: an index a client wrote is never believed. */
export class ListReferrers implements RepositoryOperation {
  readonly action = 'pull';

  constructor(private readonly repositories: RepositoryReadModel) {}

  async handle({ request, reply, view, reference }: RepositoryCall): Promise<unknown> {
    const digest = parseContentDigest(reference);
    const artifactType = parameter(request, 'artifactType');
    const last = parameter(request, 'last');
    const limit = pageSize(request, MAX_REFERRERS);
    const after = isContentDigest(last) ? last : undefined;
    const page = await this.repositories.listReferrers(view, digest, { limit, last: after, artifactType });
    const next = page.items.at(-1)?.digest;
    const path = `/v2/${view.namespace}/${view.repository}/referrers/${digest}`;
    if (page.more && next) void reply.header('link', nextLink(path, { n: limit, last: next, artifactType }));
    if (artifactType !== undefined) void reply.header('oci-filters-applied', 'artifactType');
    // Bytes: to a text with a JSON type the server adds a charset, and clients compare media types.
    return reply
      .header('content-type', MEDIA_TYPES.ociIndex)
      .send(Buffer.from(JSON.stringify({ schemaVersion: 2, mediaType: MEDIA_TYPES.ociIndex, manifests: page.items })));
  }
}
