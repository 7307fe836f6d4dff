import { Type, type Static } from '@sinclair/typebox';
import { closed, ContentDigestSchema, nullable, StoredContentSchema, TenantSchema, TimestampSchema } from '../contract-types';
import { SCRUB_SAMPLE_MAX, ScrubSchema } from '../scrub';
import { command } from './command-contract';

/** Long enough to read the largest blob twice. */
const READ_TIMEOUT_MS = 600_000;

/** A reader found bytes that are not those proven. The publisher believes only what it reads itself. */
export const QuarantineBlob = command({
  subject: 'cmd.publisher.quarantine-blob',
  timeoutMs: READ_TIMEOUT_MS,
  request: closed({
    digest: ContentDigestSchema,
    objectKey: StoredContentSchema.properties.objectKey,
    /** Who found it: a process, or a scrub by its id. */
    reporter: Type.String({ minLength: 1, maxLength: 64 }),
  }),
  reply: closed({
    /** `unchanged`: another object lies under the digest by now, or none, or it is in quarantine already. */
    outcome: Type.Union([Type.Literal('quarantined'), Type.Literal('sound'), Type.Literal('unchanged')]),
  }),
});
export type QuarantineBlobRequest = Static<typeof QuarantineBlob.request>;
export type QuarantineBlobReply = Static<typeof QuarantineBlob.reply>;

/** Puts another object with the same bytes in the place of one in quarantine. */
export const ReplaceBlob = command({
  subject: 'cmd.publisher.replace-blob',
  timeoutMs: READ_TIMEOUT_MS,
  request: closed({ blob: StoredContentSchema }),
  reply: closed({
    /** `unchanged`: nothing was in quarantine under this digest, and the object given is still the caller's. */
    outcome: Type.Union([Type.Literal('replaced'), Type.Literal('unchanged')]),
  }),
});
export type ReplaceBlobRequest = Static<typeof ReplaceBlob.request>;
export type ReplaceBlobReply = Static<typeof ReplaceBlob.reply>;

/** A scrub reads what belongs to all tenants, so only the operators' tenant may ask for one. */
const operator = { tenant: TenantSchema, actor: Type.String({ minLength: 1, maxLength: 256 }) };
const scrubReply = closed({ scrub: ScrubSchema });

/** Begins a scrub: blobs stored since a time, or a sample of them, are read again and hashed. */
export const StartScrub = command({
  subject: 'cmd.publisher.start-scrub',
  timeoutMs: 10_000,
  request: closed({
    ...operator,
    since: nullable(TimestampSchema),
    sample: Type.Integer({ minimum: 1, maximum: SCRUB_SAMPLE_MAX }),
  }),
  reply: scrubReply,
});
export type StartScrubRequest = Static<typeof StartScrub.request>;
export type ScrubReply = Static<typeof scrubReply>;

const one = closed({ ...operator, id: Type.String({ maxLength: 64 }) });
export type ScrubRequest = Static<typeof one>;

/** How far a scrub has come, and what it found. */
export const GetScrub = command({ subject: 'cmd.publisher.get-scrub', timeoutMs: 10_000, request: one, reply: scrubReply });

/** Ends a scrub that has not ended. */
export const CancelScrub = command({ subject: 'cmd.publisher.cancel-scrub', timeoutMs: 10_000, request: one, reply: scrubReply });
