import { Type, type Static } from '@sinclair/typebox';
import { closed, nullable, TimestampSchema } from './contract-types';

/**
 * How one version, or one file that belongs to none, stands at a mirror:
 * - `in-step`: it is there as it is here
 * - `missing`: we have it, the mirror does not show it
 * - `extra`: the mirror has it, we do not
 * - `different-digest`: other bytes lie there
 * - `missing-signature`: a signature or attestation of it is not there
 * - `stale-state`: its lifecycle, visibility or channels are others there
 */
export const PARITY_STATES = ['in-step', 'missing', 'extra', 'different-digest', 'missing-signature', 'stale-state'] as const;
export type ParityState = (typeof PARITY_STATES)[number];
export type ParityDifference = Exclude<ParityState, 'in-step'>;
export const PARITY_DIFFERENCES = PARITY_STATES.filter((state): state is ParityDifference => state !== 'in-step');

/** `bytes` hashes every byte at the mirror, `changes` those it has not proven before, `index` reads what the mirror says of itself alone. */
export const PARITY_DEPTHS = ['bytes', 'changes', 'index'] as const;
export type ParityDepth = (typeof PARITY_DEPTHS)[number];
export const PARITY_CHECK_STATES = ['queued', 'running', 'succeeded', 'failed'] as const;
export const PARITY_CHECK_CAUSES = ['event', 'request', 'schedule'] as const;

export const ParityStateSchema = Type.Unsafe<ParityState>({ type: 'string', enum: [...PARITY_STATES] });
const count = Type.Integer({ minimum: 0 });
export const ParityCountsSchema = closed({
  'in-step': count,
  missing: count,
  extra: count,
  'different-digest': count,
  'missing-signature': count,
  'stale-state': count,
});
export type ParityCounts = Static<typeof ParityCountsSchema>;

/** One comparison of a mirror with the registry. Its counts are null until it is done: half a comparison says nothing. */
export const ParityCheckSchema = closed({
  id: Type.String(),
  mirrorId: Type.String(),
  state: Type.Unsafe<(typeof PARITY_CHECK_STATES)[number]>({ type: 'string', enum: [...PARITY_CHECK_STATES] }),
  cause: Type.Unsafe<(typeof PARITY_CHECK_CAUSES)[number]>({ type: 'string', enum: [...PARITY_CHECK_CAUSES] }),
  depth: Type.Unsafe<ParityDepth>({ type: 'string', enum: [...PARITY_DEPTHS] }),
  requestedBy: Type.String(),
  createdAt: TimestampSchema,
  startedAt: nullable(TimestampSchema),
  finishedAt: nullable(TimestampSchema),
  /** How often it was begun. */
  attempts: count,
  progress: closed({ versions: count, totalVersions: count, hashedBytes: count }),
  inStep: nullable(Type.Boolean()),
  counts: nullable(ParityCountsSchema),
  error: nullable(closed({ code: Type.String(), message: Type.String() })),
});
export type ParityCheck = Static<typeof ParityCheckSchema>;

export function noCounts(): ParityCounts {
  return { 'in-step': 0, missing: 0, extra: 0, 'different-digest': 0, 'missing-signature': 0, 'stale-state': 0 };
}
