/** What becomes of a version, in order: it only ever goes forward. Archived versions are deprecated ones nobody needs to see. */
export const LIFECYCLES = ['active', 'deprecated', 'archived'] as const;
export type Lifecycle = (typeof LIFECYCLES)[number];

/** The states that a list shows: those asked for, or only `active`. */
export function lifecyclesShown(asked: Lifecycle | 'all' | undefined, deprecated: boolean | undefined): readonly Lifecycle[] {
  if (asked === 'all') return LIFECYCLES;
  if (asked !== undefined) return [asked];
  return deprecated === true ? ['deprecated', 'archived'] : ['active'];
}
