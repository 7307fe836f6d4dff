import { Type, type Static } from '@sinclair/typebox';
import { ChannelSchema, closed, DigestSchema, nullable, PackIdSchema, TenantSchema, VersionSchema } from '../contract-types';
import { command } from './command-contract';
import { SigningPolicySchema } from './schemas';

/** Decisions that differ in one answer at the most: it has to fit into a message. */
export const MAX_POLICY_CHANGES = 40;

/** A published version and a channel that it was let into. */
const PlaceSchema = closed({ packId: PackIdSchema, version: VersionSchema, channel: ChannelSchema });

/** What is decided by a set of policies, and the check that settles it. */
const DecisionSchema = closed({
  outcome: Type.Union([Type.Literal('accepted'), Type.Literal('rejected')]),
  /** Null where no policy covers the version. */
  policy: nullable(Type.String()),
  check: Type.String(),
  reason: Type.String(),
  evidence: nullable(DigestSchema),
});

/**
 * Asks what would be decided otherwise about published versions if a policy was active in place of the one of its name, or beside the others. Both
 * decisions are made as of now, under the trust of now. Nothing is changed. A page at a time, by packId,
 * version and channel.
 */
export const TryPolicy = command({
  subject: 'cmd.publisher.try-policy',
  timeoutMs: 90_000,
  request: closed({
    tenant: TenantSchema,
    policy: SigningPolicySchema,
    after: nullable(PlaceSchema),
    /** Decisions gone through at the most. */
    limit: Type.Integer({ minimum: 1, maximum: 200 }),
  }),
  reply: closed({
    /** Decisions gone through, and how many of them are made by the policy of that name, as it is or as it would be. */
    examined: Type.Integer({ minimum: 0 }),
    affected: Type.Integer({ minimum: 0 }),
    changes: Type.Array(closed({ ...PlaceSchema.properties, now: DecisionSchema, then: DecisionSchema })),
    /** The last place gone through; null when there are no more. */
    next: nullable(PlaceSchema),
  }),
});
export type TryPolicyRequest = Static<typeof TryPolicy.request>;
export type TryPolicyReply = Static<typeof TryPolicy.reply>;
