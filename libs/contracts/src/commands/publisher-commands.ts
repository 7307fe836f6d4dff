import { Type, type Static } from '@sinclair/typebox';
import {
  BlobRefSchema,
  ChannelSchema,
  closed,
  DigestSchema,
  FoundSignatureSchema,
  nullable,
  origin,
  PackIdSchema,
  PackTypeSchema,
  TenantSchema,
  TimestampSchema,
  VersionSchema,
} from '../contract-types';
import { command } from './command-contract';
import { verifyTimeoutMs } from './verify-bundle';
import {
  PolicyRequirementsSchema,
  PolicyRuleSchema,
  RejectedSchema,
  SigningPolicySchema,
  UnsignedAnswerSchema,
  VerdictFaultSchema,
} from './schemas';

/** Long enough for the publisher to ask the verifier twice. */
export function publishTimeoutMs(bytes: number): number {
  return Math.min(PublishPack.timeoutMs, 3_000 + 2 * verifyTimeoutMs(bytes));
}

/** A pack's OCI manifest that is to be kept byte for byte, and the config it names. */
export const SubmittedArtifactSchema = closed({
  mediaType: Type.String({ minLength: 1, maxLength: 255 }),
  manifest: BlobRefSchema,
  config: BlobRefSchema,
});

/** Publishes bytes that the gateway has already stored. */
export const PublishPack = command({
  subject: 'cmd.publisher.publish-pack',
  timeoutMs: 200_000,
  request: closed({
    ...origin,
    packId: nullable(PackIdSchema),
    version: nullable(VersionSchema),
    channel: ChannelSchema,
    bundle: BlobRefSchema,
    /** Absent: its OCI manifest is made here. */
    artifact: Type.Optional(SubmittedArtifactSchema),
    /** With the manifest that it came in only beside an artifact. */
    signatures: Type.Array(FoundSignatureSchema, { maxItems: 8 }),
    /** The pack.yaml the caller says it sends (RFC 8785 digest); it has to be the bundle's. */
    manifestDigest: nullable(DigestSchema),
    idempotencyKey: Type.String({ minLength: 1, maxLength: 128 }),
  }),
  reply: Type.Union([
    closed({
      outcome: Type.Union([Type.Literal('published'), Type.Literal('already-published')]),
      packId: PackIdSchema,
      version: VersionSchema,
      digest: DigestSchema,
      manifestDigest: DigestSchema,
      size: Type.Integer(),
      channel: ChannelSchema,
      verdictHash: DigestSchema,
    }),
    closed({
      /** The number is claimed until signatures that satisfy the policy have come, or the time is up. */
      outcome: Type.Literal('pending'),
      packId: PackIdSchema,
      version: VersionSchema,
      digest: DigestSchema,
      manifestDigest: DigestSchema,
      size: Type.Integer(),
      channel: ChannelSchema,
      verdictHash: DigestSchema,
      expiresAt: TimestampSchema,
      /** What it lacks. */
      faults: Type.Array(VerdictFaultSchema),
    }),
    RejectedSchema,
  ]),
});
export type PublishPackRequest = Static<typeof PublishPack.request>;
export type PublishPackReply = Static<typeof PublishPack.reply>;

/** Takes a version out of default queries. Its bytes and its number stay taken for ever. */
export const DeprecateVersion = command({
  subject: 'cmd.publisher.deprecate-version',
  timeoutMs: 10_000,
  request: closed({
    ...origin,
    packId: PackIdSchema,
    version: VersionSchema,
    reason: nullable(Type.String({ maxLength: 1024 })),
    replacement: nullable(Type.String({ maxLength: 300 })),
  }),
  reply: closed({ deprecatedAt: Type.String(), changed: Type.Boolean() }),
});
export type DeprecateVersionRequest = Static<typeof DeprecateVersion.request>;
export type DeprecateVersionReply = Static<typeof DeprecateVersion.reply>;

/** Replaces the tenant's trust material by a stored document and raises its trust epoch. */
export const UpdateTrust = command({
  subject: 'cmd.publisher.update-trust',
  timeoutMs: 10_000,
  request: closed({ ...origin, material: BlobRefSchema, keyIds: Type.Array(DigestSchema, { maxItems: 256 }) }),
  reply: closed({ epoch: Type.Integer(), digest: DigestSchema, changed: Type.Boolean() }),
});
export type UpdateTrustRequest = Static<typeof UpdateTrust.request>;
export type UpdateTrustReply = Static<typeof UpdateTrust.reply>;

/** Writes the next version of a named policy and makes it the active one. */
export const UpdatePolicy = command({
  subject: 'cmd.publisher.update-policy',
  timeoutMs: 10_000,
  request: closed({
    ...origin,
    name: Type.String({ minLength: 1, maxLength: 64 }),
    channel: nullable(ChannelSchema),
    packType: nullable(PackTypeSchema),
    rule: PolicyRuleSchema,
    unsigned: UnsignedAnswerSchema,
    require: Type.Optional(PolicyRequirementsSchema),
  }),
  reply: closed({ policy: SigningPolicySchema, changed: Type.Boolean() }),
});
export type UpdatePolicyRequest = Static<typeof UpdatePolicy.request>;
export type UpdatePolicyReply = Static<typeof UpdatePolicy.reply>;

/** Sets the tenants that this tenant's packs may be made visible to, and what its namespace shows to everybody over OCI. */
export const UpdateVisibility = command({
  subject: 'cmd.publisher.update-visibility',
  timeoutMs: 10_000,
  request: closed({
    ...origin,
    shareWith: Type.Array(Type.Union([Type.Literal('*'), TenantSchema]), { maxItems: 256 }),
    // Absent: as it is.
    publicRead: Type.Optional(Type.Boolean()),
    pullByDigestOnly: Type.Optional(Type.Boolean()),
  }),
  reply: closed({
    shareWith: Type.Array(Type.String()),
    publicRead: Type.Boolean(),
    pullByDigestOnly: Type.Boolean(),
    changed: Type.Boolean(),
  }),
});
export type UpdateVisibilityRequest = Static<typeof UpdateVisibility.request>;
export type UpdateVisibilityReply = Static<typeof UpdateVisibility.reply>;
