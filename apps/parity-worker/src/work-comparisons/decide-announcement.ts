import { PARITY_DIFFERENCES, type ParityCounts } from '@packs/contracts';
import type { AnnouncedDrift } from '@packs/ports';

export interface Announcement {
  readonly kind: 'drift' | 'restored';
  readonly announced: AnnouncedDrift;
}

/**
 * What a finished comparison makes known, going by what was known before: a kind of difference that is new, altered bytes that a sync
 * since then has not mended, or that the mirror is in step again. Otherwise nothing but what is remembered.
 */
export function decideAnnouncement(
  counts: ParityCounts,
  before: AnnouncedDrift,
  seq: number,
): Announcement | { kind: null; announced: AnnouncedDrift } {
  const kinds = PARITY_DIFFERENCES.filter(state => counts[state] > 0);
  if (kinds.length === 0) return { kind: before.kinds.length > 0 ? 'restored' : null, announced: { kinds, seq } };
  const isNew = kinds.some(kind => !before.kinds.includes(kind));
  const unmended = counts['different-digest'] > 0 && seq > before.seq;
  return isNew || unmended ? { kind: 'drift', announced: { kinds, seq } } : { kind: null, announced: { kinds, seq: before.seq } };
}
