import { Type, type TObject, type TSchema, type TUnsafe } from '@sinclair/typebox';
import {
  ATTESTATION_MEDIA_TYPES,
  ATTESTATION_STATES,
  NAME_PATTERN,
  PACK_TYPES,
  REPOSITORY_NAME_MAX,
  REPOSITORY_PATTERN,
  SIGNATURE_MEDIA_TYPES,
  TAG_PATTERN,
  type AttestationMediaType,
  type AttestationState,
  type Digest,
  type PackType,
  type SignatureMediaType,
} from '@packs/domain';

export const DigestSchema = Type.Unsafe<Digest>({ type: 'string', pattern: '^sha256:[0-9a-f]{64}$' });
/** Of any OCI content: packs are addressed by sha256 alone. */
export const ContentDigestSchema = Type.Unsafe<Digest>({ type: 'string', pattern: '^(sha256:[0-9a-f]{64}|sha512:[0-9a-f]{128})$' });
/** An OCI repository name behind its namespace. */
export const RepositoryNameSchema = Type.String({ pattern: REPOSITORY_PATTERN, maxLength: REPOSITORY_NAME_MAX });
export const TagSchema = Type.String({ pattern: TAG_PATTERN });
export const TenantSchema = Type.String({ pattern: NAME_PATTERN, maxLength: 64 });
export const PackIdSchema = Type.String({ pattern: NAME_PATTERN, maxLength: 128 });
export const ChannelSchema = Type.String({ pattern: NAME_PATTERN, maxLength: 64 });
export const VersionSchema = Type.String({ minLength: 5, maxLength: 128 });
export const TimestampSchema = Type.String({ format: 'date-time' });
export const PackTypeSchema = Type.Unsafe<PackType>({ type: 'string', enum: [...PACK_TYPES] });
export const SignatureMediaTypeSchema = Type.Unsafe<SignatureMediaType>({ type: 'string', enum: [...SIGNATURE_MEDIA_TYPES] });
export const AttestationMediaTypeSchema = Type.Unsafe<AttestationMediaType>({ type: 'string', enum: [...ATTESTATION_MEDIA_TYPES] });
export const AttestationStateSchema = Type.Unsafe<AttestationState>({ type: 'string', enum: [...ATTESTATION_STATES] });
/** The URI of what an in-toto statement claims. */
export const PredicateTypeSchema = Type.String({ pattern: '^[!-~]{1,512}$' });

/** An object without members beyond those named. */
export function closed<T extends Record<string, TSchema>>(properties: T): TObject<T> {
  return Type.Object(properties, { additionalProperties: false });
}

export function nullable<T extends TSchema>(schema: T): TUnsafe<T['static'] | null> {
  return Type.Unsafe<T['static'] | null>({ anyOf: [schema, { type: 'null' }] });
}

/** Where proven bytes lie. `blockChecksums` is the base64 of one CRC-32 (big endian) per MiB. */
export const StoredBlobSchema = closed({
  digest: DigestSchema,
  size: Type.Integer({ minimum: 0 }),
  objectKey: Type.String({ minLength: 1, maxLength: 256 }),
  blockChecksums: Type.String(),
});

/** What a process needs in order to read a blob that it will hash itself. */
export const BlobRefSchema = closed({
  digest: DigestSchema,
  size: Type.Integer({ minimum: 0 }),
  objectKey: Type.String({ minLength: 1, maxLength: 256 }),
});

/** As `StoredBlobSchema`, of a digest by any algorithm that content is addressed by. */
export const StoredContentSchema = closed({ ...StoredBlobSchema.properties, digest: ContentDigestSchema });

export const SignatureRefSchema = closed({ ...BlobRefSchema.properties, mediaType: SignatureMediaTypeSchema });

/** A signature, and the manifest that it came in where that is to be kept as it is. */
export const FoundSignatureSchema = closed({
  ...SignatureRefSchema.properties,
  referrer: Type.Optional(closed({ mediaType: Type.String({ minLength: 1, maxLength: 255 }), manifest: BlobRefSchema })),
});

export const AttestationRefSchema = closed({ ...BlobRefSchema.properties, mediaType: AttestationMediaTypeSchema });

/** Who caused a command: copied into the events it leads to. */
export const origin = {
  tenant: TenantSchema,
  actor: Type.String({ minLength: 1, maxLength: 256 }),
  source: nullable(Type.String({ maxLength: 256 })),
};
