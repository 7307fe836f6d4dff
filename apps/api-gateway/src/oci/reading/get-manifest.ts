import { requireSound, type FoundManifest, type VersionOfManifest } from '@packs/ports';
import type { RepositoryCall, RepositoryOperation } from '../operation';
import type { ReadableContent } from './readable-content';
import { readyHeads, sendContent, type ReadyHeads } from './ready-heads';
import type { SmallContent } from './small-content';

/** GET and HEAD of a manifest by tag or digest (distribution-spec "Pulling manifests"). */
export class GetManifest implements RepositoryOperation {
  readonly action = 'pull';
  /** Of answers that are kept they are made once. */
  private readonly heads = new WeakMap<FoundManifest, ReadyHeads>();

  constructor(
    private readonly readable: ReadableContent,
    private readonly content: SmallContent,
  ) {}

  async handle({ request, reply, view, reference }: RepositoryCall): Promise<unknown> {
    const found = await this.readable.manifest(view, reference);
    const { blob } = found;
    return sendContent(this.headsOf(found), request, reply, () => this.content.ready(blob.digest) ?? this.content.read(blob));
  }

  /** @throws DomainError ERR_PACK_CORRUPT */
  private headsOf(found: FoundManifest): ReadyHeads {
    const known = this.heads.get(found);
    if (known) return known;
    const { blob, mediaType, version } = found;
    requireSound(blob);
    const heads = readyHeads({ ...blob, mediaType }, version ? headersOf(version) : {});
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
