import { Type } from '@sinclair/typebox';
import { closed, nullable, PackIdSchema, VersionSchema } from '../contract-types';
import { ParityCountsSchema, ParityStateSchema } from '../parity';
import { event, type EventContract } from './event-contract';

/** Differences an event names; its counts count all. */
export const DRIFT_NAMED = 20;

const comparison = {
  mirrorId: Type.String(),
  name: Type.String(),
  comparisonId: Type.String(),
  counts: ParityCountsSchema,
};

export const ParityDriftDetected = event(
  'parity.drift.detected',
  'parity-worker',
  'A comparison found a mirror out of step in a way that was not known.',
  {
    ...comparison,
    differences: Type.Array(
      closed({
        packId: nullable(PackIdSchema),
        version: nullable(VersionSchema),
        /** A file that belongs to no version. */
        path: nullable(Type.String({ maxLength: 1024 })),
        state: ParityStateSchema,
      }),
      { maxItems: DRIFT_NAMED },
    ),
  },
);

export const ParityRestored = event(
  'parity.restored',
  'parity-worker',
  'A comparison found a mirror in step that was out of step.',
  comparison,
);

export const PARITY_EVENTS: readonly EventContract[] = [ParityDriftDetected, ParityRestored];
