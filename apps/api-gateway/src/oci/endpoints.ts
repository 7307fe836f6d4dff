import type { RepositoryReadModel } from '@packs/ports';
import type { BundleSender } from '../serving/send-bundle';
import type { OciEndpoints } from './plugin';
import { GetBlob } from './reading/get-blob';
import { GetManifest } from './reading/get-manifest';
import { listRepositories } from './reading/list-repositories';
import { ListReferrers } from './reading/list-referrers';
import { ListTags } from './reading/list-tags';
import type { ManifestContent } from './reading/manifest-content';
import type { ReadableContent } from './reading/readable-content';

export interface EndpointParts {
  readonly repositories: RepositoryReadModel;
  readonly readable: ReadableContent;
  readonly content: ManifestContent;
  readonly sender: BundleSender;
}

/** What answers each verb of each endpoint (distribution-spec "Endpoints"). */
export function ociEndpoints({ repositories, readable, content, sender }: EndpointParts): OciEndpoints {
  const getManifest = new GetManifest(readable, content);
  const getBlob = new GetBlob(readable, sender);
  return {
    catalog: listRepositories(repositories),
    repository: {
      manifest: { GET: getManifest, HEAD: getManifest },
      blob: { GET: getBlob, HEAD: getBlob },
      uploads: {},
      upload: {},
      tags: { GET: new ListTags(repositories) },
      referrers: { GET: new ListReferrers(repositories) },
    },
  };
}
