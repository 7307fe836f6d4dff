import { requireSound, type VersionOfManifest } from '@packs/ports';
import { CACHE_CONTROL, matches } from '../../serving/send-bundle';
import type { RepositoryCall, RepositoryOperation } from '../operation';
import type { ManifestContent } from './manifest-content';
import type { ReadableContent } from './readable-content';

/** GET and HEAD of a manifest by tag or digest (distribution-spec "Pulling manifests"). */
export class GetManifest implements RepositoryOperation {
  readonly action = 'pull';

  constructor(
    private readonly readable: ReadableContent,
    private readonly content: ManifestContent,
  ) {}

  async handle({ request, reply, view, reference }: RepositoryCall): Promise<unknown> {
    const { blob, mediaType, version } = await this.readable.manifest(view, reference);
    requireSound(blob);
    const etag = `"${blob.digest}"`;
    void reply.headers({ 'docker-content-digest': blob.digest, etag, 'cache-control': CACHE_CONTROL });
    if (version) void reply.headers(headersOf(version));
    if (matches(request.headers['if-none-match'], etag)) return reply.status(304).send();
    void reply.headers({ 'content-type': mediaType, 'content-length': blob.size });
    return reply.send(request.method === 'HEAD' ? Buffer.alloc(0) : await this.content.read(blob));
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
