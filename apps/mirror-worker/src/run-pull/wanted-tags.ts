import type { PulledRepository } from '@packs/contracts';
import { DomainError, parseVersion, referrerTag, satisfiesRange, versionSortKey } from '@packs/domain';

/** The version that a tag is, with `_` for its `+`; undefined: the tag is none, and may move. */
export function versionOfTag(tag: string): string | undefined {
  try {
    return parseVersion(tag.replace('_', '+'));
  } catch (error) {
    if (error instanceof DomainError) return undefined;
    throw error;
  }
}

/**
 * The tags of an upstream repository that are to be brought in: versions first, the oldest of them first, so that a channel's head goes the way it went
 * there. Tags made from a digest come with what they are about.
 */
export function wantedTags(rule: PulledRepository, tags: Iterable<string>): string[] {
  const { tags: named, range, channels, newest } = rule;
  const all = [...new Set(tags)].filter(tag => !referrerTag(tag));
  const isWanted = (tag: string): boolean => {
    if (!named && range === undefined) return !channels;
    const version = versionOfTag(tag);
    return selects(named, tag) || (range !== undefined && version !== undefined && satisfiesRange(version, range));
  };
  const chosen = all.filter(isWanted);
  const versions = chosen
    .flatMap(tag => {
      const version = versionOfTag(tag);
      return version === undefined ? [] : [{ tag, key: versionSortKey(version) }];
    })
    .toSorted((a, b) => (a.key < b.key ? -1 : 1))
    .map(({ tag }) => tag);
  const kept = newest === undefined ? versions : versions.slice(-newest);
  // Of what is no version none is the newest.
  const others = newest === undefined ? chosen.filter(tag => versionOfTag(tag) === undefined) : [];
  const moving = all.filter(tag => selects(channels, tag));
  return [...new Set([...kept, ...others, ...moving])];
}

function selects(selectors: readonly string[] | undefined, tag: string): boolean {
  return selectors?.some(one => (one.endsWith('*') ? tag.startsWith(one.slice(0, -1)) : one === tag)) ?? false;
}
