import { Type } from '@sinclair/typebox';
import { closed, DigestSchema, nullable, TimestampSchema } from '../contract-types';
import { event, type EventContract } from './event-contract';

export const PackSignatureRotated = event(
  'pack.signature.rotated',
  'publisher',
  'A published version has other signatures than before; `signatures` are all that it has now.',
  {
    digest: DigestSchema,
    manifestDigest: DigestSchema,
    /** Counted from 1 for each version: what the highest says holds. */
    rotation: Type.Integer({ minimum: 1 }),
    added: Type.Array(DigestSchema),
    /** What counts for nothing from now on, and is kept. */
    replaced: Type.Array(DigestSchema),
    reason: nullable(Type.String()),
    /** Whose signatures of it are valid. */
    signers: Type.Array(closed({ name: Type.String(), keyId: DigestSchema })),
    verdictHash: DigestSchema,
    rotatedAt: TimestampSchema,
  },
);

const standing = {
  digest: DigestSchema,
  manifestDigest: DigestSchema,
  /** Counted from 1 over both kinds of event for each version: what the highest says holds. */
  change: Type.Integer({ minimum: 1 }),
  /** The trust epoch of the verdict. */
  epoch: Type.Integer({ minimum: 0 }),
  verdictHash: DigestSchema,
};

export const PackVersionWithdrawn = event(
  'pack.version.withdrawn',
  'publisher',
  'The signatures of a published version no longer satisfy the policy that let it in: it is kept, and served to nobody.',
  {
    ...standing,
    /** Reason codes of the failed checks. */
    reasons: Type.Array(Type.String()),
    withdrawnAt: TimestampSchema,
  },
);

export const PackVersionRestored = event('pack.version.restored', 'publisher', 'A version that was withdrawn is served again.', {
  ...standing,
  /** Since when it had been withdrawn. */
  withdrawnAt: TimestampSchema,
  restoredAt: TimestampSchema,
});

export const SIGNATURE_EVENTS: readonly EventContract[] = [PackSignatureRotated, PackVersionWithdrawn, PackVersionRestored];
