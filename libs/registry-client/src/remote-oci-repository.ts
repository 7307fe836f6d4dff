import { createHash } from 'node:crypto';
import {
  digestAlgorithm,
  EMPTY_JSON,
  isContentDigest,
  MANIFEST_MAX_BYTES,
  MEDIA_TYPES,
  sha256,
  type Descriptor,
  type Digest,
} from '@packs/domain';
import { RemoteRepository, type RemoteBlob, type RemoteManifest, type RemoteReferrer, type WriteBlobOptions } from '@packs/ports';
import type { AccessScope } from './authorizer';
import type { HttpAnswer } from './guarded-http';
import { BlobDownload } from './pull-blob';
import { BlobUpload } from './push-blob';
import { endless, nextPage } from './next-page';
import { Referrers } from './referrers';
import { INDEX_TYPE, referenceOf } from './referrer-list';
import type { RegistryCalls } from './registry-calls';

const TAGS_PAGE = 1_000;
const TAGS_PAGE_MAX = 4 * 1024 * 1024;
const PAGES_MAX = 1_000;
const ACCEPT = [
  MEDIA_TYPES.ociManifest,
  INDEX_TYPE,
  'application/vnd.docker.distribution.manifest.v2+json',
  'application/vnd.docker.distribution.manifest.list.v2+json',
].join(', ');

/** One repository of a registry that speaks distribution-spec v1.1 or v1.0. */
export class RemoteOciRepository extends RemoteRepository {
  private readonly pull: AccessScope;
  private readonly push: AccessScope;
  private readonly remove: AccessScope;
  private readonly base: string;
  private readonly listed: Referrers;

  constructor(
    private readonly calls: RegistryCalls,
    private readonly name: string,
  ) {
    super();
    this.base = `/v2/${name}`;
    this.pull = `repository:${name}:pull`;
    this.push = `repository:${name}:pull,push`;
    this.remove = `repository:${name}:pull,push,delete`;
    this.listed = new Referrers(this, calls, `${this.base}/referrers`, this.pull);
  }

  async resolve(reference: string, signal?: AbortSignal): Promise<Descriptor | undefined> {
    const answer = await this.calls.ask({ ...this.ofManifest('HEAD', reference), expect: [200, 404], scope: this.pull, signal });
    if (answer.status === 404) return undefined;
    const digest = isContentDigest(reference) ? reference : answer.headers['docker-content-digest'];
    const size = Number(answer.headers['content-length']);
    if (isContentDigest(digest) && Number.isSafeInteger(size)) return { digest, size, mediaType: mediaTypeOf(answer) };
    // A registry that does not say what it has has to be asked for it.
    return this.manifest(reference, signal);
  }

  async manifest(reference: string, signal?: AbortSignal): Promise<RemoteManifest | undefined> {
    const answer = await this.calls.read(
      { ...this.ofManifest('GET', reference), expect: [200, 404], scope: this.pull, signal },
      MANIFEST_MAX_BYTES,
    );
    if (answer.status === 404) return undefined;
    const { bytes } = answer;
    const said = isContentDigest(reference) ? reference : answer.headers['docker-content-digest'];
    const digest = isContentDigest(said) ? digestLike(said, bytes) : sha256(bytes);
    if (isContentDigest(said) && said !== digest) throw this.corrupt(`manifest ${reference}`, said, digest);
    return { digest, size: bytes.length, mediaType: mediaTypeOf(answer), bytes };
  }

  async putManifest(
    reference: string,
    { mediaType, bytes }: Pick<RemoteManifest, 'mediaType' | 'bytes'>,
    signal?: AbortSignal,
  ): Promise<Digest> {
    const digest = isContentDigest(reference) ? reference : sha256(bytes);
    const { headers } = await this.calls.ask({
      ...this.ofManifest('PUT', reference),
      headers: { 'content-type': mediaType },
      body: bytes,
      expect: [201],
      scope: this.push,
      signal,
    });
    const stored = headers['docker-content-digest'];
    if (stored !== undefined && isContentDigest(stored) && stored !== digestLike(stored, bytes))
      throw this.corrupt(`manifest ${reference}`, digest, stored);
    const reference_ = referenceOf({ mediaType, bytes, digest, size: bytes.length });
    if (reference_ && headers['oci-subject'] === undefined) await this.listed.add(reference_.subject, reference_.entry, signal);
    return digest;
  }

  async removeManifest(digest: Digest, signal?: AbortSignal): Promise<void> {
    const there = await this.manifest(digest, signal);
    if (!there) return;
    await this.calls.ask({ ...this.ofManifest('DELETE', digest), expect: [202, 200, 204, 404], scope: this.remove, signal });
    const reference = referenceOf(there);
    if (reference) await this.listed.drop(reference.subject, digest, signal);
  }

  async removeTag(tag: string, signal?: AbortSignal): Promise<void> {
    const { status } = await this.calls.ask({
      ...this.ofManifest('DELETE', tag),
      expect: [202, 200, 204, 400, 404, 405],
      scope: this.remove,
      signal,
    });
    if (status !== 400 && status !== 405) return;
    // A registry of v1.0 removes manifests alone, with their tags: the tag goes with one that nothing else names.
    await this.writeBlob({ digest: sha256(EMPTY_JSON), size: EMPTY_JSON.length }, once(EMPTY_JSON), { signal });
    const bytes = unlikeAnyOther(this.name, tag);
    const digest = await this.putManifest(tag, { mediaType: MEDIA_TYPES.ociManifest, bytes }, signal);
    await this.removeManifest(digest, signal);
  }

  async blobSize(digest: Digest, signal?: AbortSignal): Promise<number | undefined> {
    const answer = await this.calls.ask({ method: 'HEAD', path: this.blobPath(digest), expect: [200, 404], scope: this.pull, signal });
    if (answer.status === 404) return undefined;
    const size = Number(answer.headers['content-length']);
    if (!Number.isSafeInteger(size)) throw this.calls.fault('ERR_REGISTRY_CORRUPT', `it does not say how large blob ${digest} is`);
    return size;
  }

  readBlob(blob: RemoteBlob, signal?: AbortSignal): AsyncIterable<Uint8Array> {
    return new BlobDownload(this.calls, blob, this.blobPath(blob.digest), this.pull, signal).bytes();
  }

  writeBlob(blob: RemoteBlob, source: AsyncIterable<Uint8Array>, options: WriteBlobOptions = {}): Promise<void> {
    return new BlobUpload(this.calls, blob, `${this.base}/blobs`, this.push, options.signal).run(source, options);
  }

  async removeBlob(digest: Digest, signal?: AbortSignal): Promise<void> {
    await this.calls.ask({ method: 'DELETE', path: this.blobPath(digest), expect: [202, 200, 204, 404], scope: this.remove, signal });
  }

  async *tags(signal?: AbortSignal): AsyncGenerator<string> {
    let path: string | undefined = `${this.base}/tags/list?n=${TAGS_PAGE}`;
    for (let page = 0; path !== undefined && page < PAGES_MAX; page++) {
      const answer: HttpAnswer & { bytes: Buffer } = await this.calls.read(
        { method: 'GET', path, expect: [200, 404], scope: this.pull, signal },
        TAGS_PAGE_MAX,
      );
      if (answer.status === 404) return;
      const tags = this.tagsOf(answer.bytes);
      yield* tags;
      path = nextPage(answer, path, this.calls);
      if (path !== undefined && (tags.length === 0 || page + 1 === PAGES_MAX)) throw endless(this.calls, 'tags');
    }
  }

  referrers(subject: Digest, signal?: AbortSignal): Promise<RemoteReferrer[]> {
    return this.listed.of(subject, signal);
  }

  private tagsOf(bytes: Buffer): string[] {
    try {
      const { tags } = JSON.parse(bytes.toString('utf8')) as { tags?: unknown };
      if (tags === null || tags === undefined) return [];
      if (Array.isArray(tags)) return tags.filter(tag => typeof tag === 'string');
    } catch {
      // Told below.
    }
    throw this.calls.fault('ERR_REGISTRY_CORRUPT', 'its list of tags is none');
  }

  private ofManifest(method: string, reference: string) {
    return { method, path: `${this.base}/manifests/${reference}`, headers: { accept: ACCEPT } };
  }

  private blobPath(digest: Digest): string {
    return `${this.base}/blobs/${digest}`;
  }

  private corrupt(what: string, digest: string, found: string): Error {
    return this.calls.fault('ERR_REGISTRY_CORRUPT', `${what} is ${digest}, and its bytes are ${found}`);
  }
}

function digestLike(digest: Digest, bytes: Buffer): Digest {
  const algorithm = digestAlgorithm(digest);
  return `${algorithm}:${createHash(algorithm).update(bytes).digest('hex')}`;
}

function mediaTypeOf({ headers }: HttpAnswer): string {
  return (headers['content-type'] ?? 'application/octet-stream').replace(/\s*;.*$/, '');
}

function unlikeAnyOther(name: string, tag: string): Buffer {
  const empty = { mediaType: MEDIA_TYPES.ociEmpty, digest: sha256(EMPTY_JSON), size: EMPTY_JSON.length };
  const annotations = { 'io.stellaops.removed': `${name}:${tag} ${process.pid} ${performance.now()}` };
  return Buffer.from(JSON.stringify({ schemaVersion: 2, mediaType: MEDIA_TYPES.ociManifest, config: empty, layers: [empty], annotations }));
}

async function* once(bytes: Buffer): AsyncGenerator<Buffer> {
  yield bytes;
}
