import { Type } from '@sinclair/typebox';
import { ContentDigestSchema, DigestSchema, TimestampSchema } from '../contract-types';
import { event, type EventContract } from './event-contract';

const referrer = {
  /** The version's manifest. */
  manifestDigest: DigestSchema,
  /** The manifest that refers to it. */
  referrer: ContentDigestSchema,
  artifactType: Type.String({ maxLength: 255 }),
};

export const PackReferrerAdded = event(
  'pack.referrer.added',
  'publisher',
  'A client has attached something to a published version that is neither a signature nor an attestation, such as an SBOM.',
  { ...referrer, addedAt: TimestampSchema },
);

export const PackReferrerRemoved = event(
  'pack.referrer.removed',
  'publisher',
  'A client has taken away what was attached to a published version.',
  { ...referrer, removedAt: TimestampSchema },
);

export const REFERRER_EVENTS: readonly EventContract[] = [PackReferrerAdded, PackReferrerRemoved];
