import { Type, type Static } from '@sinclair/typebox';
import {
  AttestationMediaTypeSchema,
  AttestationRefSchema,
  AttestationStateSchema,
  ChannelSchema,
  closed,
  DigestSchema,
  nullable,
  origin,
  PackIdSchema,
  PackTypeSchema,
  PredicateTypeSchema,
  TenantSchema,
  TimestampSchema,
  VersionSchema,
} from '../contract-types';
import { command } from './command-contract';
import { RejectedSchema, SigningPolicySchema, TrustRefSchema, VerdictFaultSchema, VerdictSchema } from './schemas';

/**
 * Adds a stored document to what is attested about a version, if it is about that version and its signers satisfy the policy. About a version that
 * waits it is kept, and judged as soon as that may be published.
 */
export const AddAttestation = command({
  subject: 'cmd.publisher.add-attestation',
  timeoutMs: 90_000,
  request: closed({
    ...origin,
    packId: PackIdSchema,
    version: VersionSchema,
    attestation: AttestationRefSchema,
    /** Whether it is kept when trust in its signers is all that it lacks. */
    provisional: Type.Optional(Type.Boolean()),
  }),
  reply: Type.Union([
    closed({
      outcome: Type.Union([Type.Literal('added'), Type.Literal('already-added'), Type.Literal('provisional')]),
      digest: DigestSchema,
      mediaType: AttestationMediaTypeSchema,
      size: Type.Integer(),
      predicateType: PredicateTypeSchema,
      /** Null while it is provisional and nobody who was trusted had signed it. */
      manifestDigest: nullable(DigestSchema),
      signers: Type.Array(closed({ name: Type.String(), keyId: DigestSchema, scheme: Type.String() })),
      verdictHash: DigestSchema,
      state: AttestationStateSchema,
      stateReason: nullable(Type.String()),
      addedAt: TimestampSchema,
      addedBy: Type.String(),
    }),
    closed({
      /** It is kept beside a version that waits, and judged with it. */
      outcome: Type.Literal('waiting'),
      digest: DigestSchema,
      mediaType: AttestationMediaTypeSchema,
      size: Type.Integer(),
      /** As the document says. */
      predicateType: PredicateTypeSchema,
      manifestDigest: DigestSchema,
    }),
    RejectedSchema,
  ]),
});
export type AddAttestationRequest = Static<typeof AddAttestation.request>;
export type AddAttestationReply = Static<typeof AddAttestation.reply>;

/** Asks whether a stored document is an attestation of a version, by signers that satisfy the tenant's policy under its current trust. */
export const VerifyAttestation = command({
  subject: 'cmd.verifier.verify-attestation',
  timeoutMs: 60_000,
  request: closed({
    tenant: TenantSchema,
    channel: ChannelSchema,
    packType: PackTypeSchema,
    attestation: AttestationRefSchema,
    /** The statement has to name one of the two. */
    subject: closed({ bundle: DigestSchema, manifest: DigestSchema }),
    policies: Type.Array(SigningPolicySchema, { maxItems: 64 }),
    trust: TrustRefSchema,
    evaluatedAt: TimestampSchema,
  }),
  reply: closed({
    verdict: VerdictSchema,
    verdictHash: DigestSchema,
    faults: Type.Array(VerdictFaultSchema),
    /** Null unless a trusted key signed it and it is about the version. */
    predicateType: nullable(PredicateTypeSchema),
  }),
});
export type VerifyAttestationRequest = Static<typeof VerifyAttestation.request>;
export type VerifyAttestationReply = Static<typeof VerifyAttestation.reply>;

/** Says of an attestation that it is not to be relied on, or that it is again. Upheld, it is judged anew: it is verified or provisional then. */
export const ContestAttestation = command({
  subject: 'cmd.publisher.contest-attestation',
  timeoutMs: 90_000,
  request: closed({
    ...origin,
    packId: PackIdSchema,
    version: VersionSchema,
    digest: DigestSchema,
    decision: Type.Union([Type.Literal('contest'), Type.Literal('uphold')]),
    reason: Type.String({ minLength: 1, maxLength: 512 }),
  }),
  reply: closed({
    digest: DigestSchema,
    state: AttestationStateSchema,
    stateReason: nullable(Type.String()),
    changed: Type.Boolean(),
  }),
});
export type ContestAttestationRequest = Static<typeof ContestAttestation.request>;
export type ContestAttestationReply = Static<typeof ContestAttestation.reply>;

/** Writes into the audit log that the evidence of a version is given out. */
export const RecordEvidenceExport = command({
  subject: 'cmd.publisher.record-evidence-export',
  timeoutMs: 30_000,
  request: closed({
    ...origin,
    packId: PackIdSchema,
    version: VersionSchema,
    seq: Type.Integer({ minimum: 0 }),
    withBundle: Type.Boolean(),
  }),
  reply: closed({}),
});
export type RecordEvidenceExportRequest = Static<typeof RecordEvidenceExport.request>;
export type RecordEvidenceExportReply = Static<typeof RecordEvidenceExport.reply>;
