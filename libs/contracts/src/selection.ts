import { Type, type Static } from '@sinclair/typebox';
import { NAME_PATTERN } from '@packs/domain';
import { ChannelSchema, closed, PackTypeSchema } from './contract-types';

/** A packId, or the beginning of one followed by `*`. */
export const PACK_ID_SELECTOR_PATTERN = `^(?:\\*|${NAME_PATTERN.slice(1, -1)}(?:[._-]?\\*)?)$`;
export const SELECTION_MAX = 64;

/**
 * Which versions of one tenant travel. Members narrow each other; an absent one selects everything. A version is of a channel when it
 * was published or promoted to it or is its head, so that what was selected once stays selected.
 */
export const SelectionSchema = closed({
  channels: Type.Optional(Type.Array(ChannelSchema, { minItems: 1, maxItems: SELECTION_MAX, uniqueItems: true })),
  types: Type.Optional(Type.Array(PackTypeSchema, { minItems: 1, maxItems: 4, uniqueItems: true })),
  packIds: Type.Optional(
    Type.Array(Type.String({ pattern: PACK_ID_SELECTOR_PATTERN, maxLength: 129 }), {
      minItems: 1,
      maxItems: SELECTION_MAX,
      uniqueItems: true,
    }),
  ),
  tags: Type.Optional(
    Type.Array(Type.String({ minLength: 1, maxLength: 64 }), { minItems: 1, maxItems: SELECTION_MAX, uniqueItems: true }),
  ),
});
export type Selection = Static<typeof SelectionSchema>;

/** Whether one of the selectors names the pack. */
export function selectsPackId(packIds: readonly string[] | undefined, packId: string): boolean {
  if (!packIds) return true;
  return packIds.some(selector => (selector.endsWith('*') ? packId.startsWith(selector.slice(0, -1)) : selector === packId));
}
