import { Type } from '@sinclair/typebox';
import { closed, nullable, TimestampSchema } from './contract-types';

const person = Type.String({ minLength: 1, maxLength: 256 });
export const SEAL_REASON_MAX = 1024;
const reason = Type.String({ minLength: 1, maxLength: SEAL_REASON_MAX });

export const UnsealRequestSchema = closed({
  requestedBy: person,
  requestedAt: TimestampSchema,
  expiresAt: TimestampSchema,
  reason,
  approvals: Type.Array(closed({ by: person, at: TimestampSchema })),
});

/** `Seal` of the domain as it crosses processes. */
export const SealSchema = closed({
  sealed: Type.Boolean(),
  by: Type.Unsafe<'configuration' | 'api' | null>({ enum: ['configuration', 'api', null] }),
  since: nullable(TimestampSchema),
  changedBy: nullable(person),
  reason: nullable(reason),
  pendingUnseal: nullable(UnsealRequestSchema),
});
