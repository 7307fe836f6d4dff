import { Type, type Static } from '@sinclair/typebox';
import { ChannelSchema, closed, DigestSchema, nullable, origin, PackIdSchema, TimestampSchema, VersionSchema } from '../contract-types';
import { command } from './command-contract';
import { RejectedSchema } from './schemas';

/** Points a channel at a published version, if the channel's policy accepts it. */
export const PromoteVersion = command({
  subject: 'cmd.publisher.promote-version',
  timeoutMs: 120_000,
  request: closed({
    ...origin,
    packId: PackIdSchema,
    version: VersionSchema,
    channel: ChannelSchema,
    /** A channel that has to point at the version now; null asks for none. */
    from: nullable(ChannelSchema),
  }),
  reply: Type.Union([
    closed({
      /** `unchanged`: the channel pointed at it before. */
      outcome: Type.Union([Type.Literal('promoted'), Type.Literal('unchanged')]),
      digest: DigestSchema,
      manifestDigest: DigestSchema,
      previousVersion: nullable(VersionSchema),
      verdictHash: DigestSchema,
      promotedAt: TimestampSchema,
    }),
    RejectedSchema,
  ]),
});
export type PromoteVersionRequest = Static<typeof PromoteVersion.request>;
export type PromoteVersionReply = Static<typeof PromoteVersion.reply>;

/** Ends a version's life: it leaves every list that does not ask for it. Its bytes and its number stay. */
export const ArchiveVersion = command({
  subject: 'cmd.publisher.archive-version',
  timeoutMs: 10_000,
  request: closed({
    ...origin,
    packId: PackIdSchema,
    version: VersionSchema,
    reason: nullable(Type.String({ maxLength: 1024 })),
    replacement: nullable(Type.String({ maxLength: 300 })),
  }),
  reply: closed({ archivedAt: TimestampSchema, changed: Type.Boolean() }),
});
export type ArchiveVersionRequest = Static<typeof ArchiveVersion.request>;
export type ArchiveVersionReply = Static<typeof ArchiveVersion.reply>;

/** Adds a channel to those every tenant has, or describes it anew. */
export const UpdateChannel = command({
  subject: 'cmd.publisher.update-channel',
  timeoutMs: 10_000,
  request: closed({ ...origin, name: ChannelSchema, description: Type.String({ maxLength: 1024 }) }),
  reply: closed({
    channel: closed({ name: ChannelSchema, description: Type.String(), createdAt: TimestampSchema, createdBy: Type.String() }),
    changed: Type.Boolean(),
  }),
});
export type UpdateChannelRequest = Static<typeof UpdateChannel.request>;
export type UpdateChannelReply = Static<typeof UpdateChannel.reply>;
