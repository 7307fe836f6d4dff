import { requireSound, type FoundManifest, type VersionOfManifest } from '@packs/ports';
import { CACHE_CONTROL, matches } from '../../serving/send-bundle';
import type { RepositoryCall, RepositoryOperation } from '../operation';
import type { ReadableContent } from './readable-content';
import type { SmallContent } from './small-content';

interface Heads {
  readonly etag: string;
  readonly unchanged: Readonly<Record<string, string>>;
  readonly whole: Readonly<Record<string, string | number>>;
}

/** GET and HEAD of a manifest by tag or digest (distribution-spec "Pulling manifests"). */
export class GetManifest implements RepositoryOperation {
  readonly action = 'pull';
  /** Of answers that are kept they are made once. */
  private readonly heads = new WeakMap<FoundManifest, Heads>();

  constructor(
    private readonly readable: ReadableContent,
    private readonly content: SmallContent,
  ) {}

  async handle({ request, reply, view, reference }: RepositoryCall): Promise<unknown> {
    const found = await this.readable.manifest(view, reference);
    const { etag, unchanged, whole } = this.headsOf(found);
    if (matches(request.headers['if-none-match'], etag)) return reply.status(304).headers(unchanged).send();
    if (request.method === 'HEAD') return reply.headers(whole).send(null);
    const bytes = this.content.ready(found.blob.digest) ?? (await this.content.read(found.blob));
    return reply.headers(whole).send(bytes);
  }

  /** @throws DomainError ERR_PACK_CORRUPT */
  private headsOf(found: FoundManifest): Heads {
    const known = this.heads.get(found);
    if (known) return known;
    const { blob, mediaType, version } = found;
    requireSound(blob);
    const etag = `"${blob.digest}"`;
    const unchanged = { 'docker-content-digest': blob.digest, etag, 'cache-control': CACHE_CONTROL, ...(version && headersOf(version)) };
    const heads = { etag, unchanged, whole: { ...unchanged, 'content-type': mediaType, 'content-length': blob.size } };
    this.heads.set(found, heads);
    return heads;
  }
}

function headersOf({ state, packId, version, deprecation }: VersionOfManifest): Record<string, string> {
  const warning = deprecation && [
    `${packId} ${version} is deprecated`,
    ...(deprecation.reason ? [`: ${deprecation.reason}`] : []),
    ...(deprecation.replacement ? [`; use ${deprecation.replacement}`] : []),
  ];
  // distribution-spec "Warnings": code 299 and agent `-`, the text a quoted string.
  return { 'stella-pack-state': state, ...(warning && { warning: `299 - "${quotable(warning.join(''))}"` }) };
}

/** Longer warnings may be cut by clients. */
const WARNING_MAX = 200;

function quotable(text: string): string {
  return text
    .replaceAll(/[^\x20-\x7e]+/g, ' ')
    .slice(0, WARNING_MAX)
    .replaceAll(/["\\]/g, '\\$&');
}
