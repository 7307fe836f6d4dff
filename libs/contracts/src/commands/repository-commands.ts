import { Type, type Static } from '@sinclair/typebox';
import {
  closed,
  ContentDigestSchema,
  nullable,
  origin,
  RepositoryNameSchema,
  StoredContentSchema,
  TagSchema,
  VersionSchema,
} from '../contract-types';
import { command } from './command-contract';
import { PublishPack } from './publisher-commands';

/** Tags that one push of a manifest may set. */
export const MAX_TAGS_PER_PUSH = 32;

/**
 * Records a manifest whose bytes the gateway has stored: as a version when it is a pack's, beside one when it refers to it, else as any other
 * content. The same push again gives the same answer.
 */
export const PutManifest = command({
  subject: 'cmd.publisher.put-manifest',
  timeoutMs: PublishPack.timeoutMs,
  request: closed({
    ...origin,
    repository: RepositoryNameSchema,
    /** In place of a tag the push may have named the digest alone. */
    tags: Type.Array(TagSchema, { maxItems: MAX_TAGS_PER_PUSH }),
    mediaType: Type.String({ maxLength: 255 }),
    /** Stored by the gateway and recorded by the publisher. */
    manifest: StoredContentSchema,
  }),
  reply: closed({
    digest: ContentDigestSchema,
    /** Where the bytes lie: under an earlier key when they were recorded before, and what the gateway has just stored is then nobody's. */
    objectKey: StoredContentSchema.properties.objectKey,
    /** The manifest's `subject`, for `OCI-Subject`. */
    subject: nullable(ContentDigestSchema),
    /** `pending`: a version that waits for the signatures its policy asks for. `stored`: everything that is no version. */
    state: Type.Union([Type.Literal('stored'), Type.Literal('published'), Type.Literal('pending')]),
    version: nullable(VersionSchema),
  }),
});
export type PutManifestRequest = Static<typeof PutManifest.request>;
export type PutManifestReply = Static<typeof PutManifest.reply>;

/** Takes a tag, a manifest or a blob out of a repository. A pack's manifest is deprecated instead; what a version needs stays. */
export const DeleteContent = command({
  subject: 'cmd.publisher.delete-content',
  timeoutMs: 10_000,
  request: closed({
    ...origin,
    repository: RepositoryNameSchema,
    target: Type.Union([closed({ tag: TagSchema }), closed({ manifest: ContentDigestSchema }), closed({ blob: ContentDigestSchema })]),
  }),
  reply: closed({ outcome: Type.Union([Type.Literal('deleted'), Type.Literal('deprecated')]) }),
});
export type DeleteContentRequest = Static<typeof DeleteContent.request>;
export type DeleteContentReply = Static<typeof DeleteContent.reply>;
