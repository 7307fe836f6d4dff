import { Type, type Static } from '@sinclair/typebox';
import { closed, DigestSchema, origin, PackIdSchema } from '../contract-types';
import { command } from './command-contract';
import { FetchArtifact, REFERENCE_MAX } from './fetch-artifact';

/** What did not come with a version, and why. */
export const NotCarriedSchema = closed({
  /** A manifest's digest, or the tag that it has there. `*`: nobody knows what else. */
  what: Type.String(),
  code: Type.String(),
  reason: Type.String({ maxLength: 500 }),
});
export type NotCarried = Static<typeof NotCarriedSchema>;

/** Brings what refers to a published pack in the registry that it came from, as it is there. */
export const CarryReferrers = command({
  subject: 'cmd.mirror-worker.carry-referrers',
  timeoutMs: FetchArtifact.timeoutMs,
  request: closed({
    ...origin,
    /** As the pack was fetched by. */
    reference: Type.String({ minLength: 1, maxLength: REFERENCE_MAX }),
    packId: PackIdSchema,
    /** The version's manifest. */
    subject: DigestSchema,
    /** Manifests of the signatures that came with it. */
    carried: Type.Array(DigestSchema, { maxItems: 8 }),
  }),
  reply: closed({ notCarried: Type.Array(NotCarriedSchema, { maxItems: 32 }) }),
});
export type CarryReferrersRequest = Static<typeof CarryReferrers.request>;
export type CarryReferrersReply = Static<typeof CarryReferrers.reply>;
