import type { PutManifestReply, PutManifestRequest } from '@packs/contracts';
import { DomainError, isPackManifest, parseManifest, type ParsedManifest } from '@packs/domain';
import type { Logger } from '@packs/observability';
import { genericPush, isQuarantined, readWhole, type BlobStore, type Clock, type GenericContent, type GenericPush } from '@packs/ports';
import { parseStrictJson } from '@packs/sigstore';

/** Reading a longer one would keep other requests waiting. */
const MAX_BYTES = 64 * 1024;

/**
 * Records what is plainly generic content, without a word to another process: a manifest that has no part of a pack and refers to nothing, in a repository
 * that is generic or not there yet, whose blobs are all there. Of anything else it says nothing, and the publisher decides.
 */
export class PutPlain {
  constructor(
    private readonly generic: GenericContent,
    private readonly blobs: BlobStore,
    private readonly clock: Clock,
    private readonly logger: Logger,
  ) {}

  /**
   * @returns undefined where it is the publisher's
   * @throws as `GenericContent.put`; DomainError ERR_PACK_CORRUPT when the bytes that were recorded earlier are damaged
   */
  async execute({ tenant, actor, repository, tags, mediaType, manifest: written }: PutManifestRequest, bytes: Buffer) {
    const parsed = bytes.length > MAX_BYTES ? undefined : plainOf(bytes, mediaType);
    if (!parsed) return undefined;
    const put = await this.put(genericPush({ tenant, actor, repository, tags, written, at: this.clock.now() }, parsed));
    if (put) this.logger.info({ repository, actor, tenant, digest: put.digest, version: null, result: put.state }, 'put manifest');
    return put;
  }

  /**
   * Bytes that were recorded earlier are what will be read, so they have to be whole. They may be another tenant's: nothing else is done about them, as how long an
   * answer takes would tell of that.
   */
  private async put(push: GenericPush): Promise<PutManifestReply | undefined> {
    const { kind, missing, recorded } = await this.generic.put(push);
    if (kind !== 'generic' || missing.length > 0 || isQuarantined(recorded)) return undefined;
    if (recorded.objectKey !== push.written.objectKey) await readWhole(this.blobs, recorded, MAX_BYTES);
    return { digest: recorded.digest, objectKey: recorded.objectKey, subject: null, state: 'stored', version: null };
  }
}

/** The publisher tells what is wrong with a manifest that cannot be read. */
function plainOf(bytes: Buffer, mediaType: string): ParsedManifest | undefined {
  try {
    const parsed = parseManifest(limits => parseStrictJson(bytes, limits), mediaType);
    return parsed.subject !== null || isPackManifest(parsed) ? undefined : parsed;
  } catch (error) {
    if (error instanceof DomainError) return undefined;
    throw error;
  }
}
