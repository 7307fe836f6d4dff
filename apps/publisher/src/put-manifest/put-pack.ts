import type { PublishPackReply, PutManifestReply } from '@packs/contracts';
import {
  DEFAULT_CHANNEL,
  DomainError,
  invalidManifest,
  isDigest,
  isName,
  MEDIA_TYPES,
  PACK_ID_MAX,
  PACK_MANIFEST_MAX_BYTES,
  versionTag,
  type Descriptor,
  type ParsedManifest,
} from '@packs/domain';
import type { BlobRef, PendingVersion, RegistryUnitOfWork, StoredBlob, TrustState } from '@packs/ports';
import { encodedOf } from '../publish-pack/open-claim';
import type { PublishArtifact } from '../publish-pack/publish-artifact';
import type { SubmissionHooks } from '../publish-pack/submission';
import { requireAll, whereabouts, type ReadManifest, type RecordedPush } from './put-manifest';

interface Begin {
  readonly published: string | undefined;
  readonly pending: PendingVersion | undefined;
  readonly blobs: ReadonlyMap<string, StoredBlob>;
  readonly trust: TrustState;
}

/** Publishes the pack that a pushed manifest is, by the verifier and the policy of every publish. The manifest is kept as it came. */
export class PutPack {
  constructor(
    private readonly unitOfWork: RegistryUnitOfWork,
    private readonly publishArtifact: PublishArtifact,
  ) {}

  async execute(request: RecordedPush, { bytes, parsed }: ReadManifest): Promise<PutManifestReply> {
    const { tenant, actor, source, repository, tags, manifest } = request;
    const { config, bundle } = partsOf(request, parsed);
    const begin = await this.begin(request, [config, bundle]);
    if (begin.published !== undefined) {
      requireVersionTags(tags, begin.published);
      return { ...whereabouts(manifest), subject: null, state: 'published', version: begin.published };
    }
    requireAll([config, bundle].filter(({ digest }) => !begin.blobs.has(digest)).map(({ digest }) => digest));
    const located = [config, bundle].map(part => locate(begin.blobs, part));
    const [storedConfig, storedBundle] = located;
    if (!storedConfig || !storedBundle) throw invalidManifest('/layers/0/size', 'is not that of the blob');
    const submission = {
      ...{ tenant, actor, source, packId: repository, version: null, channel: DEFAULT_CHANNEL, signatures: [] },
      bundle: storedBundle,
      artifact: { manifest: encodedOf(bytes, parsed, manifest.digest), stored: manifest, config: storedConfig },
    };
    const { pending } = begin;
    const joined = pending ? await this.publishArtifact.join(submission, { claim: pending }) : submission;
    return toReply(request, await this.publishArtifact.execute(joined, begin.trust, hooksFor(tags)));
  }

  private begin({ tenant, repository, manifest }: RecordedPush, parts: readonly Descriptor[]): Promise<Begin> {
    return this.unitOfWork.run(tenant, async tx => {
      if ((await tx.repositories.kind(tenant, repository)) === 'generic') {
        throw new DomainError(
          'ERR_OCI_REPOSITORY_KIND',
          `repository ${repository} holds other content than a pack, and a repository keeps its kind`,
        );
      }
      const known = await tx.repositories.versionOf(tenant, repository, manifest.digest);
      return {
        published: known?.state === 'published' ? known.version : undefined,
        pending: known?.state === 'pending' ? await tx.pendingVersions.find(tenant, repository, known.version) : undefined,
        blobs: await tx.repositories.blobs(
          tenant,
          repository,
          parts.map(({ digest }) => digest),
        ),
        trust: await tx.trust.state(tenant, 'none'),
      };
    });
  }
}

/** @throws DomainError ERR_OCI_MANIFEST_INVALID for what is part of a pack and no whole one */
function partsOf({ repository, manifest }: RecordedPush, parsed: ParsedManifest): { config: Descriptor; bundle: Descriptor } {
  const { mediaType, artifactType, config, layers, subject } = parsed;
  const [bundle, ...others] = layers;
  if (!isName(repository, PACK_ID_MAX)) throw invalidManifest('name', 'is not that of a pack: its repository is called like its packId');
  if (!isDigest(manifest.digest)) throw invalidManifest('digest', 'of a pack is made with sha256');
  if (manifest.size > PACK_MANIFEST_MAX_BYTES) throw invalidManifest('/', `of a pack has at most ${PACK_MANIFEST_MAX_BYTES} bytes`);
  if (mediaType !== MEDIA_TYPES.ociManifest) throw invalidManifest('Content-Type', `of a pack is ${MEDIA_TYPES.ociManifest}`);
  if (artifactType !== MEDIA_TYPES.pack) throw invalidManifest('/artifactType', `of a pack is ${MEDIA_TYPES.pack}`);
  if (config?.mediaType !== MEDIA_TYPES.packConfig) throw invalidManifest('/config/mediaType', `of a pack is ${MEDIA_TYPES.packConfig}`);
  if (bundle?.mediaType !== MEDIA_TYPES.packBundle || others.length > 0)
    throw invalidManifest('/layers', `of a pack are one ${MEDIA_TYPES.packBundle}`);
  if (!isDigest(config.digest) || !isDigest(bundle.digest)) throw invalidManifest('/layers', 'of a pack are addressed by sha256');
  if (subject) throw invalidManifest('/subject', 'is not for packs');
  return { config, bundle };
}

function locate(blobs: Begin['blobs'], part: Descriptor): BlobRef | undefined {
  const stored = blobs.get(part.digest);
  if (stored?.size !== part.size) return undefined;
  const { digest, size, objectKey } = stored;
  return { digest, size, objectKey };
}

function hooksFor(tags: readonly string[]): SubmissionHooks {
  return {
    earlier: () => Promise.resolve(undefined),
    keep: () => Promise.resolve(),
    check: ({ version }) => requireVersionTags(tags, version),
  };
}

/** @throws DomainError ERR_OCI_TAG_PROTECTED */
function requireVersionTags(tags: readonly string[], version: string): void {
  const expected = versionTag(version);
  const other = tags.find(tag => tag !== expected);
  if (other === undefined) return;
  throw new DomainError('ERR_OCI_TAG_PROTECTED', `the one tag of ${version} is ${expected}: channels move by promotion alone`, {
    errors: [{ field: 'tag', message: `${other} is not ${expected}` }],
  });
}

/** @throws DomainError ERR_PACK_VERDICT_REJECTED, or ERR_PACK_MANIFEST_MISMATCH when manifest, config and bundle do not belong together */
function toReply({ manifest }: RecordedPush, reply: PublishPackReply): PutManifestReply {
  if (reply.outcome === 'rejected') {
    const mismatch = reply.faults.find(({ code }) => code === 'ERR_PACK_MANIFEST_MISMATCH');
    throw new DomainError(mismatch?.code ?? 'ERR_PACK_VERDICT_REJECTED', mismatch?.message ?? 'the pack was not accepted: see errors', {
      details: { verdict: reply.verdictHash },
      errors: reply.faults,
    });
  }
  const state = reply.outcome === 'pending' ? 'pending' : 'published';
  return { ...whereabouts(manifest), subject: null, state, version: reply.version };
}
