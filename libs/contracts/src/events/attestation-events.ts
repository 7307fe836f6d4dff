import { Type } from '@sinclair/typebox';
import { AttestationMediaTypeSchema, closed, DigestSchema, PredicateTypeSchema, TimestampSchema } from '../contract-types';
import { event, type EventContract } from './event-contract';

export const PackAttestationAdded = event(
  'pack.attestation.added',
  'publisher',
  'An attestation of a version was verified and can now be read.',
  {
    digest: DigestSchema,
    manifestDigest: DigestSchema,
    /** The attestation document. */
    attestation: DigestSchema,
    mediaType: AttestationMediaTypeSchema,
    size: Type.Integer({ minimum: 0 }),
    /** The manifest that carries it as a referrer of the version's. */
    referrer: DigestSchema,
    predicateType: PredicateTypeSchema,
    /** Whose signatures of it are valid. */
    signers: Type.Array(closed({ name: Type.String(), keyId: DigestSchema })),
    verdictHash: DigestSchema,
    addedAt: TimestampSchema,
  },
);

export const ATTESTATION_EVENTS: readonly EventContract[] = [PackAttestationAdded];
