import { MAX_TAGS_PER_PUSH, PutManifest as PutManifestCommand, type PutManifestReply, type PutManifestRequest } from '@packs/contracts';
import { DomainError, isTag, MEDIA_TYPES, parseReference, referrerTag } from '@packs/domain';
import type { BlobStore, CommandBus, ContentCatalog, StoredBlob } from '@packs/ports';
import { recordBlobs } from '../../storing/record-blobs';
import { originOf } from '../origin';
import type { RepositoryCall, RepositoryOperation } from '../operation';
import { storingFault } from '../uploads/storing-fault';
import { tagParameters } from '../uploads/upload-request';
import type { PutPlain } from './put-plain';
import { readManifest, type ManifestBytes } from './read-manifest';

/** A manifest that is judged takes as long as its pack; any other is a few rows. */
const QUICK_MS = 10_000;

/**
 * PUT of a manifest (distribution-spec "Pushing Manifests"): stored byte for byte, and recorded where it is plainly generic content; the publisher gives any
 * other its meaning.
 */
export class PutManifest implements RepositoryOperation {
  readonly action = 'push';
  readonly sendsLittle = (): boolean => true;

  constructor(
    private readonly blobs: BlobStore,
    private readonly catalog: ContentCatalog,
    private readonly commands: CommandBus,
    private readonly plain: PutPlain,
  ) {}

  async handle(call: RepositoryCall): Promise<unknown> {
    const { request, reply, name } = call;
    const reference = parseReference(call.reference);
    const extra = tagParameters(request.raw.url ?? '');
    const tags = [...new Set(['tag' in reference ? reference.tag : [], extra].flat())];
    requireTags(tags);
    const manifest = await readManifest(request.raw, 'digest' in reference ? reference.digest : undefined);
    const command = {
      ...originOf(call),
      repository: name.repository,
      tags,
      mediaType: (request.headers['content-type'] ?? '').split(';', 1)[0]?.trim() ?? '',
      manifest: await this.store(manifest),
    };
    const { manifest: written } = command;
    const put = await this.settle(command, manifest.bytes);
    // Another record holds: what was written now is nobody's, and whether it could be removed is no matter of the answer.
    if (put.objectKey !== written.objectKey) await this.blobs.remove(written.objectKey).catch(() => undefined);
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
   * Nothing is asked about the bytes before they are written, neither of this repository nor of others: how long an answer takes must not tell of another
   * tenant's content.
   */
  private async store({ bytes, digest }: ManifestBytes): Promise<StoredBlob> {
    return this.blobs.writeBytes(bytes, digest).catch((error: unknown) => {
      throw storingFault(error);
    });
  }

  private async settle(command: PutManifestRequest, bytes: Buffer): Promise<PutManifestReply> {
    const { manifest: written, tags } = command;
    const isJudged = mayBeJudged(bytes, tags);
    try {
      const put = isJudged ? undefined : await this.plain.execute(command, bytes);
      return put ?? (await this.commands.send(PutManifestCommand, command, isJudged ? undefined : QUICK_MS));
    } catch (error) {
      // Whether the bytes were recorded is not known; once they are on a record, nobody has to know.
      await recordBlobs(this.blobs, this.catalog, [written]).catch(() => undefined);
      throw error;
    }
  }
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
