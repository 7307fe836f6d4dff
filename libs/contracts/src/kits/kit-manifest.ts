import { Type, type Static } from '@sinclair/typebox';
import { LIFECYCLES, type Lifecycle } from '@packs/domain';
import {
  AttestationMediaTypeSchema,
  ChannelSchema,
  closed,
  DigestSchema,
  nullable,
  PackIdSchema,
  PackTypeSchema,
  PredicateTypeSchema,
  SignatureMediaTypeSchema,
  StoredBlobSchema,
  TenantSchema,
  TimestampSchema,
  VersionSchema,
} from '../contract-types';
import { SelectionSchema } from '../selection';

/** The format this code writes and reads. Another number is another format. */
export const KIT_SCHEMA = 'stellaops.io/offline-kit.v1';

/** Of the documents a kit carries beside its OCI artifacts. */
export const KIT_MEDIA_TYPES = {
  kit: 'application/vnd.stellaops.offline-kit.v1+tar',
  verdict: 'application/vnd.stellaops.pack.verdict.v1+json',
  policy: 'application/vnd.stellaops.pack.policy.v1+json',
  trust: 'application/vnd.stellaops.pack.trust.v1+json',
} as const;

const Actor = Type.String({ minLength: 1, maxLength: 256 });
const Size = Type.Integer({ minimum: 0 });
const MediaType = Type.String({ minLength: 1, maxLength: 255 });

const DescriptorSchema = closed({ mediaType: MediaType, digest: DigestSchema, size: Size });
const ReferrerManifestSchema = closed({ ...DescriptorSchema.properties, artifactType: MediaType });

const KitSignatureSchema = closed({
  /** The referrer that carries the document. */
  manifest: ReferrerManifestSchema,
  config: DescriptorSchema,
  document: closed({ mediaType: SignatureMediaTypeSchema, digest: DigestSchema, size: Size }),
});

const KitAttestationSchema = closed({
  manifest: ReferrerManifestSchema,
  config: DescriptorSchema,
  document: closed({ mediaType: AttestationMediaTypeSchema, digest: DigestSchema, size: Size }),
  predicateType: PredicateTypeSchema,
  addedAt: TimestampSchema,
  addedBy: Actor,
});

const KitVersionSchema = closed({
  packId: PackIdSchema,
  version: VersionSchema,
  type: PackTypeSchema,
  /** The bundle's, as the API calls it. */
  digest: DigestSchema,
  manifest: ReferrerManifestSchema,
  config: DescriptorSchema,
  bundle: DescriptorSchema,
  /** The channel it was published to. */
  channel: ChannelSchema,
  /** Every channel it was let into, by publish or promotion, and those of them that point at it. */
  channels: Type.Array(ChannelSchema),
  headOf: Type.Array(ChannelSchema),
  lifecycle: Type.Unsafe<Lifecycle>({ type: 'string', enum: [...LIFECYCLES] }),
  deprecation: nullable(
    closed({
      at: TimestampSchema,
      by: Actor,
      reason: nullable(Type.String({ maxLength: 1024 })),
      replacement: nullable(Type.String({ maxLength: 300 })),
    }),
  ),
  archival: nullable(closed({ at: TimestampSchema, by: Actor, reason: nullable(Type.String({ maxLength: 1024 })) })),
  publishedAt: TimestampSchema,
  publishedBy: Actor,
  source: nullable(Type.String({ maxLength: 256 })),
  signatures: Type.Array(KitSignatureSchema, { maxItems: 64 }),
  attestations: Type.Array(KitAttestationSchema, { maxItems: 1024 }),
  /** Why the exporting registry let it in. Its digest is the verdict's hash. */
  verdict: DescriptorSchema,
});
export type KitVersion = Static<typeof KitVersionSchema>;

/**
 * `offline/packs/manifest.json`: everything a kit is. The other documents of a kit follow from it, and it names every blob there has to be.
 */
export const KitManifestSchema = closed({
  schema: Type.Literal(KIT_SCHEMA),
  /** The audit `seq` of the exporting tenant as of which the kit was made. */
  generation: Type.Integer({ minimum: 1 }),
  source: closed({
    tenant: TenantSchema,
    /** Leaf hash of the first entry of the exporting tenant's audit log: one log, one source, for ever. */
    log: DigestSchema,
  }),
  selection: SelectionSchema,
  trust: closed({
    epoch: Type.Integer({ minimum: 0 }),
    /** The keys in force; null while the tenant had none. */
    current: nullable(DigestSchema),
    shareWith: Type.Array(Type.String({ maxLength: 64 }), { maxItems: 256 }),
    /** Every trust material and every policy that a verdict in the kit leaned on, and those in force. */
    materials: Type.Array(DescriptorSchema),
    policies: Type.Array(closed({ ...DescriptorSchema.properties, active: Type.Boolean() })),
  }),
  /** Channels that not every tenant has. */
  channels: Type.Array(
    closed({ name: ChannelSchema, description: Type.String({ maxLength: 1024 }), createdAt: TimestampSchema, createdBy: Actor }),
  ),
  versions: Type.Array(KitVersionSchema),
});
export type KitManifest = Static<typeof KitManifestSchema>;

/** What signs a kit says of it, as the predicate of an in-toto statement about the kit and its manifest. */
export const KIT_PREDICATE_TYPE = 'https://stellaops.io/attestation/offline-kit/v1';

/** What the publisher is handed to import a kit: what the kit says, and where each of its blobs lies, proven and not yet known to anybody. */
export const KitPlanSchema = closed({
  schema: Type.Literal('stellaops.io/kit-plan.v1'),
  manifest: KitManifestSchema,
  blobs: Type.Array(StoredBlobSchema),
});
export type KitPlan = Static<typeof KitPlanSchema>;

/** A plan is read whole. */
export const KIT_PLAN_MAX_BYTES = 1024 * 1024 * 1024;
