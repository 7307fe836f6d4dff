import { Type, type Static } from '@sinclair/typebox';
import { closed, ContentDigestSchema, nullable, TimestampSchema } from './contract-types';

/** Digests of damaged blobs that a scrub names; it counts all of them. */
export const SCRUB_NAMED = 500;
export const SCRUB_SAMPLE_MAX = 1_000_000;
export const SCRUB_STATES = ['queued', 'running', 'completed', 'cancelled'] as const;
export type ScrubState = (typeof SCRUB_STATES)[number];

/** One reading of what lies at rest, and what it found. */
export const ScrubSchema = closed({
  id: Type.String({ pattern: '^[0-9A-HJKMNP-TV-Z]{26}$' }),
  state: Type.Unsafe<ScrubState>({ type: 'string', enum: [...SCRUB_STATES] }),
  requestedBy: Type.String(),
  requestedAt: TimestampSchema,
  startedAt: nullable(TimestampSchema),
  finishedAt: nullable(TimestampSchema),
  /** Blobs stored from then on; null: all. */
  since: nullable(TimestampSchema),
  /** One blob of so many is read. */
  sample: Type.Integer({ minimum: 1, maximum: SCRUB_SAMPLE_MAX }),
  /** Blobs it has gone through. */
  examined: Type.Integer({ minimum: 0 }),
  bytes: Type.Integer({ minimum: 0 }),
  /** Blobs whose bytes, or whose record of them, are not what was proven. */
  damaged: Type.Integer({ minimum: 0 }),
  /** Blobs that the blob store could not read again and again, and that may yet be whole. */
  unreadable: Type.Integer({ minimum: 0 }),
  /** The first of both kinds. */
  digests: Type.Array(ContentDigestSchema, { maxItems: SCRUB_NAMED }),
});
export type Scrub = Static<typeof ScrubSchema>;
