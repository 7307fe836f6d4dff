import { Type } from '@sinclair/typebox';
import {
  AttestationMediaTypeSchema,
  AttestationStateSchema,
  closed,
  DigestSchema,
  nullable,
  PredicateTypeSchema,
  TimestampSchema,
} from '../contract-types';
import { event, type EventContract } from './event-contract';

const attested = {
  digest: DigestSchema,
  manifestDigest: DigestSchema,
  /** The attestation document. */
  attestation: DigestSchema,
};

const signers = Type.Array(closed({ name: Type.String(), keyId: DigestSchema }));

export const PackAttestationAdded = event(
  'pack.attestation.added',
  'publisher',
  'An attestation of a version was verified and can now be read.',
  {
    ...attested,
    mediaType: AttestationMediaTypeSchema,
    size: Type.Integer({ minimum: 0 }),
    /** The manifest that carries it as a referrer of the version's. */
    referrer: DigestSchema,
    predicateType: PredicateTypeSchema,
    /** Whose signatures of it are valid. */
    signers,
    verdictHash: DigestSchema,
    addedAt: TimestampSchema,
  },
);

export const PackAttestationReceived = event(
  'pack.attestation.received',
  'publisher',
  'An attestation was taken whose signer nobody trusts yet: it is provisional, and nobody can read it.',
  {
    ...attested,
    mediaType: AttestationMediaTypeSchema,
    size: Type.Integer({ minimum: 0 }),
    /** As the document says; nobody vouches for it. */
    predicateType: PredicateTypeSchema,
    reason: nullable(Type.String()),
    verdictHash: DigestSchema,
    addedAt: TimestampSchema,
  },
);

export const PackAttestationReassessed = event(
  'pack.attestation.reassessed',
  'publisher',
  'An attestation is believed more or less than before: an approver has said so, or the trust in its signers has changed.',
  {
    ...attested,
    predicateType: PredicateTypeSchema,
    /** Whose signatures of it were valid when it was added. */
    signers,
    previousState: AttestationStateSchema,
    state: AttestationStateSchema,
    /** A reason code, or an approver's words. */
    reason: nullable(Type.String({ maxLength: 512 })),
    /** Rises with each change of this attestation. */
    seq: Type.Integer({ minimum: 1 }),
    /** Both null where a person and no verdict decided. */
    verdictHash: nullable(DigestSchema),
    trustEpoch: nullable(Type.Integer({ minimum: 0 })),
    reassessedAt: TimestampSchema,
  },
);

export const PackEvidenceExported = event('pack.evidence.exported', 'publisher', 'The evidence of a version was given out as one file.', {
  digest: DigestSchema,
  manifestDigest: DigestSchema,
  /** The audit `seq` it is as of. */
  seq: Type.Integer({ minimum: 0 }),
  withBundle: Type.Boolean(),
  exportedAt: TimestampSchema,
});

export const ATTESTATION_EVENTS: readonly EventContract[] = [
  PackAttestationAdded,
  PackAttestationReceived,
  PackAttestationReassessed,
  PackEvidenceExported,
];
