import type { RepositoryReadModel } from '@packs/ports';
import type { BundleSender } from '../serving/send-bundle';
import type { OciEndpoints } from './plugin';
import { GetBlob, type BlobRedirect } from './reading/get-blob';
import { GetManifest } from './reading/get-manifest';
import { listRepositories } from './reading/list-repositories';
import { ListReferrers } from './reading/list-referrers';
import { ListTags } from './reading/list-tags';
import type { SmallContent } from './reading/small-content';
import type { ReadableContent } from './reading/readable-content';
import { writeEndpoints, type WriteParts } from './write-endpoints';

export interface EndpointParts {
  readonly repositories: RepositoryReadModel;
  readonly readable: ReadableContent;
  readonly content: SmallContent;
  readonly sender: BundleSender;
  readonly redirect: BlobRedirect | undefined;
  readonly writing: WriteParts;
}

/** What answers each verb of each endpoint (distribution-spec "Endpoints"). */
export function ociEndpoints({ repositories, readable, content, sender, redirect, writing }: EndpointParts): OciEndpoints {
  const getManifest = new GetManifest(readable, content);
  const getBlob = new GetBlob(readable, { content, sender, redirect });
  const writes = writeEndpoints(writing);
  return {
    catalog: listRepositories(repositories),
    repository: {
      manifest: { GET: getManifest, HEAD: getManifest, ...writes.manifest },
      blob: { GET: getBlob, HEAD: getBlob, ...writes.blob },
      uploads: writes.uploads,
      upload: writes.upload,
      tags: { GET: new ListTags(repositories) },
      referrers: { GET: new ListReferrers(repositories) },
    },
  };
}
