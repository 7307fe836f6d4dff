import { Type, type Static } from '@sinclair/typebox';
import { ChannelSchema, closed, DigestSchema, nullable, PackIdSchema, PackTypeSchema, TenantSchema, VersionSchema } from './contract-types';

const descriptor = { digest: DigestSchema, size: Type.Integer({ minimum: 0 }), mediaType: Type.String({ minLength: 1, maxLength: 255 }) };

/** One version as a mirror or a kit holds it: every blob that belongs to it, and what it is now. */
export const MirroredVersionSchema = closed({
  packId: PackIdSchema,
  version: VersionSchema,
  type: PackTypeSchema,
  publishedAt: Type.String(),
  lifecycle: Type.Unsafe<'active' | 'deprecated' | 'archived'>({ type: 'string', enum: ['active', 'deprecated', 'archived'] }),
  deprecation: nullable(
    closed({ at: Type.String(), by: Type.String(), reason: nullable(Type.String()), replacement: nullable(Type.String()) }),
  ),
  /** Tenants beside the owner that may see it. */
  visibility: Type.Array(Type.String()),
  manifest: closed(descriptor),
  config: closed(descriptor),
  bundle: closed(descriptor),
  /** In the order of their manifests' digests. */
  referrers: Type.Array(
    closed({
      manifest: closed({ ...descriptor, artifactType: Type.String() }),
      /** `referrer`: what clients have attached beside what was verified, such as an SBOM. */
      kind: Type.Unsafe<'signature' | 'attestation' | 'referrer'>({ type: 'string', enum: ['signature', 'attestation', 'referrer'] }),
      blobs: Type.Array(closed(descriptor)),
    }),
  ),
  /** Manifests of attestations that are not handed on because their signatures no longer satisfy their policy. Left out where there are none. */
  withdrawn: Type.Optional(Type.Array(DigestSchema, { minItems: 1 })),
});
export type MirroredVersion = Static<typeof MirroredVersionSchema>;

/** What a mirror shows. Bytes beside it that it does not name are not published. It has no clock: one state, one digest. */
export const MirrorStateSchema = closed({
  schema: Type.Literal('stellaops.io/mirror-state.v1'),
  tenant: TenantSchema,
  /** In the order of packId (bytes) and version precedence. */
  versions: Type.Array(MirroredVersionSchema),
  /** Heads that point at versions above, in the order of packId and channel. */
  channels: Type.Array(closed({ packId: PackIdSchema, channel: ChannelSchema, version: VersionSchema })),
  /** Selected versions that are not handed on because their signatures no longer satisfy their policy. */
  withdrawn: Type.Array(closed({ packId: PackIdSchema, version: VersionSchema, manifestDigest: DigestSchema })),
});
export type MirrorState = Static<typeof MirrorStateSchema>;
