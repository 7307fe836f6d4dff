import { Type } from '@sinclair/typebox';
import { ChannelSchema, DigestSchema, nullable, TimestampSchema, VersionSchema } from '../contract-types';
import { event, type EventContract } from './event-contract';

export const PackVersionPromoted = event('pack.version.promoted', 'publisher', 'A channel now points at this version.', {
  digest: DigestSchema,
  manifestDigest: DigestSchema,
  channel: ChannelSchema,
  /** The channel it was promoted from, when the request named one. */
  from: nullable(ChannelSchema),
  /** What the channel pointed at before. */
  previousVersion: nullable(VersionSchema),
  /** By the channel's own policy. */
  verdictHash: DigestSchema,
  promotedAt: TimestampSchema,
});

export const PackPromotionRejected = event(
  'pack.promotion.rejected',
  'publisher',
  "A channel's policy did not accept a published version; the channel points where it did.",
  {
    digest: DigestSchema,
    manifestDigest: DigestSchema,
    channel: ChannelSchema,
    from: nullable(ChannelSchema),
    verdictHash: DigestSchema,
    /** Reason codes of the failed checks. */
    reasons: Type.Array(Type.String()),
  },
);

export const PackVersionArchived = event('pack.version.archived', 'publisher', 'A version left every list that does not ask for it.', {
  digest: DigestSchema,
  manifestDigest: DigestSchema,
  reason: nullable(Type.String()),
  replacement: nullable(Type.String()),
  deprecatedAt: TimestampSchema,
  archivedAt: TimestampSchema,
});

export const ChannelUpdated = event('registry.channel.updated', 'publisher', 'A tenant has a channel of its own, or describes it anew.', {
  channel: ChannelSchema,
  description: Type.String(),
  createdAt: TimestampSchema,
  createdBy: Type.String(),
});

export const CHANNEL_EVENTS: readonly EventContract[] = [PackVersionPromoted, PackPromotionRejected, PackVersionArchived, ChannelUpdated];
