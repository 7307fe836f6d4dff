import { Type } from '@sinclair/typebox';
import { closed, DigestSchema, nullable, TimestampSchema } from '../contract-types';
import { event, type EventContract } from './event-contract';

export const TrustRotated = event(
  'registry.trust.rotated',
  'publisher',
  'A signed trust bundle was put in force. Where it brought other trust material, `registry.trust.updated` tells of that.',
  {
    bundleVersion: Type.Integer({ minimum: 1 }),
    /** SHA-256 of what was signed. */
    bundleDigest: DigestSchema,
    material: DigestSchema,
    epoch: Type.Integer({ minimum: 1 }),
    rootKeyIds: Type.Array(DigestSchema),
    threshold: Type.Integer({ minimum: 1 }),
    validUntil: TimestampSchema,
  },
);

/** The trust material in force, and that of the trust bundle the installation was given as a file. */
const compared = {
  active: DigestSchema,
  expected: nullable(DigestSchema),
  bundleVersion: nullable(Type.Integer({ minimum: 1 })),
};

export const TrustDrifted = event(
  'registry.trust.drifted',
  'publisher',
  'What a tenant trusts is not what the trust bundle file of the installation says.',
  compared,
);

export const TrustRestored = event(
  'registry.trust.restored',
  'publisher',
  'What a tenant trusts is again what the trust bundle file of the installation says, or there is no such file any more.',
  compared,
);

export const TrustEnding = event('registry.trust.ending', 'publisher', 'Something that is trusted comes to its end, or has come to it.', {
  epoch: Type.Integer({ minimum: 0 }),
  endings: Type.Array(
    closed({
      kind: Type.Union([
        Type.Literal('key'),
        Type.Literal('certificate-authority'),
        Type.Literal('timestamp-authority'),
        Type.Literal('log'),
        Type.Literal('bundle'),
      ]),
      name: Type.String(),
      at: TimestampSchema,
      /** It ends within so many days; 0: it has ended. */
      days: Type.Integer({ minimum: 0 }),
    }),
  ),
});

export const TRUST_EVENTS: readonly EventContract[] = [TrustRotated, TrustDrifted, TrustRestored, TrustEnding];
