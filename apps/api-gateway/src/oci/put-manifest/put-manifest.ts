import { MAX_TAGS_PER_PUSH, PutManifest as PutManifestCommand } from '@packs/contracts';
import { DomainError, isTag, MEDIA_TYPES, parseReference, referrerTag } from '@packs/domain';
import { isQuarantined, type BlobRef, type BlobStore, type CommandBus, type ContentCatalog, type RepositoryReadModel } from '@packs/ports';
import { once } from '../../rest/publish-pack/receive-bundle';
import { recordBlobs } from '../../storing/record-blobs';
import { originOf } from '../origin';
import type { RepositoryCall, RepositoryOperation } from '../operation';
import { storingFault } from '../uploads/storing-fault';
import { tagParameters } from '../uploads/upload-request';
import { readManifest, type ManifestBytes } from './read-manifest';

/** A manifest that is judged takes as long as its pack; any other is a few rows. */
const QUICK_MS = 10_000;

/** PUT of a manifest (distribution-spec "Pushing Manifests"): stored byte for byte, and given its meaning by the publisher. */
export class PutManifest implements RepositoryOperation {
  readonly action = 'push';

  constructor(
    private readonly repositories: RepositoryReadModel,
    private readonly blobs: BlobStore,
    private readonly catalog: ContentCatalog,
    private readonly commands: CommandBus,
  ) {}

  async handle(call: RepositoryCall): Promise<unknown> {
    const { request, reply, name } = call;
    const reference = parseReference(call.reference);
    const extra = tagParameters(request.raw.url ?? '');
    const tags = [...new Set(['tag' in reference ? reference.tag : [], extra].flat())];
    requireTags(tags);
    const manifest = await readManifest(request.raw, 'digest' in reference ? reference.digest : undefined);
    const stored = await this.store(call, manifest);
    const put = await this.commands.send(
      PutManifestCommand,
      {
        ...originOf(call),
        repository: name.repository,
        tags,
        mediaType: (request.headers['content-type'] ?? '').split(';', 1)[0]?.trim() ?? '',
        manifest: stored,
      },
      mayBeJudged(manifest.bytes, tags) ? undefined : QUICK_MS,
    );
    return reply
      .status(201)
      .headers({
        location: `/v2/${name.namespace}/${name.repository}/manifests/${put.digest}`,
        'docker-content-digest': put.digest,
        'content-length': '0',
        ...(put.subject !== null && { 'oci-subject': put.subject }),
        ...(extra.length > 0 && { 'oci-tag': tags.join(', ') }),
        ...(put.state !== 'stored' && { 'stella-pack-state': put.state }),
      })
      .send('');
  }

  /**
   * What this very repository has already, and whole, is not written again. Of what others have nothing is asked: how long an answer takes must not tell of
   * another tenant's content.
   */
  private async store({ view }: RepositoryCall, { bytes, digest }: ManifestBytes): Promise<BlobRef> {
    const known = await this.repositories.findManifest(view, { digest });
    if (known && !isQuarantined(known.blob)) return refTo(known.blob);
    const written = await this.blobs.write(once(bytes), { maxBytes: bytes.length, digest }).catch((error: unknown) => {
      throw storingFault(error);
    });
    const [recorded] = await recordBlobs(this.blobs, this.catalog, [written]);
    return refTo(recorded ?? written);
  }
}

function refTo({ digest, size, objectKey }: BlobRef): BlobRef {
  return { digest, size, objectKey };
}

function requireTags(tags: readonly string[]): void {
  const wrong = tags.find(tag => !isTag(tag));
  const message =
    wrong !== undefined
      ? 'a tag has 1 to 128 of a-z A-Z 0-9 _ . - and begins with none of . -'
      : tags.length > MAX_TAGS_PER_PUSH
        ? `a push sets at most ${MAX_TAGS_PER_PUSH} tags`
        : undefined;
  if (message !== undefined) throw new DomainError('ERR_OCI_REFERENCE_INVALID', message, { errors: [{ field: 'tag', message }] });
}

/** A pack's own manifest, and what may complete one that waits for its signatures. */
function mayBeJudged(bytes: Buffer, tags: readonly string[]): boolean {
  return bytes.includes(MEDIA_TYPES.pack) || bytes.includes('"subject"') || tags.some(tag => referrerTag(tag) !== undefined);
}
