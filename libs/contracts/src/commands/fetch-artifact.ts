import { Type, type Static } from '@sinclair/typebox';
import { BlobRefSchema, closed, FoundSignatureSchema, origin } from '../contract-types';
import { command } from './command-contract';
import { SubmittedArtifactSchema } from './publisher-commands';

export const REFERENCE_MAX = 512;

/** Brings a pack from another registry into the blob store, with its signatures. Publishes nothing. */
export const FetchArtifact = command({
  subject: 'cmd.mirror-worker.fetch-artifact',
  timeoutMs: 600_000,
  request: closed({
    ...origin,
    /** `<host>[:<port>]/<repository>`, and `:<tag>` or `@<digest>`. */
    reference: Type.String({ minLength: 1, maxLength: REFERENCE_MAX }),
    maxBundleBytes: Type.Integer({ minimum: 1 }),
  }),
  reply: closed({
    bundle: BlobRefSchema,
    artifact: SubmittedArtifactSchema,
    signatures: Type.Array(FoundSignatureSchema, { maxItems: 8 }),
  }),
});
export type FetchArtifactRequest = Static<typeof FetchArtifact.request>;
export type FetchArtifactReply = Static<typeof FetchArtifact.reply>;
