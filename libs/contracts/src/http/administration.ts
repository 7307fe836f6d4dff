import { ApiProperty, ApiPropertyOptional } from '@nestjs/swagger';
import {
  CHANNEL_MAX,
  NAME_PATTERN,
  PACK_TYPES,
  SIGNATURE_MEDIA_TYPES,
  SIGNATURE_SCHEMES,
  UNSIGNED_ANSWERS,
  type PackType,
  type PolicyRequirements,
  type PolicyRule,
  type SignatureMediaType,
  type SignatureScheme,
  type UnsignedAnswer,
} from '@packs/domain';
import { Type } from 'class-transformer';
import {
  ArrayMaxSize,
  IsArray,
  IsBase64,
  IsBoolean,
  IsIn,
  IsObject,
  IsOptional,
  IsString,
  Matches,
  MaxLength,
  ValidateNested,
} from 'class-validator';

const NAME = new RegExp(NAME_PATTERN);

export class TrustKeyInput {
  @ApiProperty({ pattern: NAME_PATTERN, maxLength: 64, description: 'The name policies refer to it by' })
  @IsString()
  @Matches(NAME)
  @MaxLength(64)
  name!: string;

  @ApiProperty({ description: 'PEM, SubjectPublicKeyInfo' })
  @IsString()
  @MaxLength(8192)
  publicKey!: string;

  @ApiPropertyOptional({ enum: SIGNATURE_SCHEMES, description: "Absent: the usual scheme of the key's type" })
  @IsOptional()
  @IsIn(SIGNATURE_SCHEMES)
  scheme?: SignatureScheme;
}

export class KeyListInput {
  @ApiProperty({ type: [TrustKeyInput], maxItems: 64 })
  @IsArray()
  @ArrayMaxSize(64)
  @ValidateNested({ each: true })
  @Type(() => TrustKeyInput)
  keys!: TrustKeyInput[];
}

export class TrustInput extends KeyListInput {
  @ApiPropertyOptional({
    type: 'array',
    items: { type: 'object', additionalProperties: true },
    maxItems: 4,
    description:
      'Sigstore trusted roots (`trusted_root.json`): certificate authorities, transparency logs and timestamp authorities that vouch for `oidcIssuer` signers. Absent: none',
  })
  @IsOptional()
  @IsArray()
  @ArrayMaxSize(4)
  @IsObject({ each: true })
  trustedRoots?: object[];
}

export class TrustKeyView {
  @ApiProperty() name!: string;
  @ApiProperty({ description: 'SHA-256 of the SubjectPublicKeyInfo' }) keyId!: string;
  @ApiProperty({ enum: SIGNATURE_SCHEMES }) scheme!: SignatureScheme;
  @ApiProperty() publicKey!: string;
}

export class TrustAnswer {
  @ApiProperty({ description: 'Rises with every change; 0 before the first' }) epoch!: number;
  @ApiProperty() digest!: string;
  @ApiProperty({ type: [TrustKeyView] }) keys!: TrustKeyView[];
  @ApiPropertyOptional({ type: 'array', items: { type: 'object', additionalProperties: true } }) trustedRoots?: object[];
}

export class PolicyInput {
  @ApiPropertyOptional({ pattern: NAME_PATTERN, description: 'Absent: every channel' })
  @IsOptional()
  @Matches(NAME)
  @MaxLength(CHANNEL_MAX)
  channel?: string;

  @ApiPropertyOptional({ enum: PACK_TYPES, enumName: 'PackType', description: 'Absent: every type' })
  @IsOptional()
  @IsIn(PACK_TYPES)
  packType?: PackType;

  @ApiProperty({
    type: 'object',
    additionalProperties: true,
    description:
      '`{"keyRef": "name"}`, `{"oidcIssuer": {"issuer": "https://…", "identity": "mail address or URI", "extensions"?: {…}}}`, all exact, `{"anyOf": [rule, …]}`, `{"allOf": [rule, …]}` or `{"threshold": {"count": 2, "of": [rule, …]}}`',
    example: {
      anyOf: [{ keyRef: 'release' }, { threshold: { count: 2, of: [{ keyRef: 'ann' }, { keyRef: 'ben' }, { keyRef: 'cleo' }] } }],
    },
  })
  @IsObject()
  rule!: PolicyRule;

  @ApiPropertyOptional({
    enum: UNSIGNED_ANSWERS,
    default: 'pending',
    description:
      'What becomes of a publish whose signatures do not satisfy the rule: it waits a day for more, it is refused, or (for development) it is taken without any',
  })
  @IsOptional()
  @IsIn(UNSIGNED_ANSWERS)
  unsigned: UnsignedAnswer = 'pending';

  @ApiPropertyOptional({
    type: 'object',
    additionalProperties: true,
    description:
      'What there has to be beside the signers: `algorithms` that count (`fips` stands for those of FIPS mode), `attestations` by predicate type, each by the signers of `rule` or else of the policy, `log` inclusion proven offline, `maxAgeDays` of a signature. Absent: nothing',
    example: { algorithms: ['fips'], attestations: [{ predicateType: 'https://slsa.dev/provenance/v1' }], log: true, maxAgeDays: 365 },
  })
  @IsOptional()
  @IsObject()
  require?: PolicyRequirements;
}

export class PolicyView extends PolicyInput {
  @ApiProperty() name!: string;
  @ApiProperty() version!: number;
}

export class PolicyList {
  @ApiProperty({ type: [PolicyView] }) policies!: PolicyView[];
}

export class VisibilityInput {
  @ApiProperty({ type: [String], maxItems: 256, description: 'Tenants this tenant may share packs with; `*` is every tenant' })
  @IsArray()
  @ArrayMaxSize(256)
  @Matches(/^(?:\*|[a-z0-9]+(?:[._-][a-z0-9]+)*)$/, { each: true })
  @MaxLength(64, { each: true })
  shareWith!: string[];

  @ApiPropertyOptional({
    description:
      'Whether anybody, without credentials, may pull over OCI: releases that are visible to every tenant, and all generic repositories. Absent: as it is',
  })
  @IsOptional()
  @IsBoolean()
  publicRead?: boolean;

  @ApiPropertyOptional({
    description: 'Whether those who may not push get manifests over OCI by digest alone. Absent: as it is',
  })
  @IsOptional()
  @IsBoolean()
  pullByDigestOnly?: boolean;
}

export class VisibilityView {
  @ApiProperty({ type: [String] }) shareWith!: string[];
  @ApiProperty() publicRead!: boolean;
  @ApiProperty() pullByDigestOnly!: boolean;
}

export class SignatureInput {
  @ApiPropertyOptional({ enum: SIGNATURE_MEDIA_TYPES })
  @IsOptional()
  @IsIn(SIGNATURE_MEDIA_TYPES)
  mediaType?: SignatureMediaType;

  @ApiProperty({ description: 'base64' })
  @IsBase64()
  @MaxLength(350_000)
  content!: string;
}

/** The body of the `POST /packs` alias. */
export class PackUpload {
  @ApiProperty({ type: 'object', additionalProperties: true, description: "The bundle's pack.yaml as JSON" })
  @IsObject()
  manifest!: Record<string, unknown>;

  @ApiProperty({ description: 'The bundle, base64, of at most 16 MiB' })
  @IsString()
  content!: string;

  @ApiPropertyOptional({ type: [SignatureInput], maxItems: 8 })
  @IsOptional()
  @IsArray()
  @ArrayMaxSize(8)
  @ValidateNested({ each: true })
  @Type(() => SignatureInput)
  signatures?: SignatureInput[];

  @ApiPropertyOptional({ default: 'edge', pattern: NAME_PATTERN })
  @IsOptional()
  @Matches(NAME)
  @MaxLength(CHANNEL_MAX)
  channel: string = 'edge';
}

export class AuditEntryView {
  @ApiProperty({ description: "Order in the tenant's log, without gaps" }) seq!: number;
  @ApiProperty() id!: string;
  @ApiProperty() type!: string;
  @ApiProperty({ type: String, nullable: true }) packId!: string | null;
  @ApiProperty({ type: String, nullable: true }) version!: string | null;
  @ApiProperty() actor!: string;
  @ApiProperty() tenant!: string;
  @ApiProperty({ type: String, nullable: true }) source!: string | null;
  @ApiProperty({ type: [String] }) signatures!: string[];
  @ApiProperty() metadataHash!: string;
  @ApiProperty({ format: 'date-time' }) occurredAt!: string;
  @ApiProperty({ type: 'object', additionalProperties: true }) data!: Record<string, unknown>;
  @ApiProperty({ description: 'SHA-256(0x00 ‖ leaf), hex (RFC 6962)' }) leafHash!: string;
}

export class AuditList {
  @ApiProperty({ type: [AuditEntryView] }) entries!: AuditEntryView[];
  @ApiProperty({ type: Number, nullable: true, description: 'The `after` of the next page' }) next!: number | null;
}

export class Problem {
  @ApiProperty() type!: string;
  @ApiProperty() title!: string;
  @ApiProperty() status!: number;
  @ApiProperty({ example: 'ERR_PACK_NOT_FOUND' }) code!: string;
  @ApiProperty() detail!: string;
  @ApiProperty() instance!: string;
  @ApiPropertyOptional({
    type: 'array',
    items: {
      type: 'object',
      properties: {
        pointer: { type: 'string' },
        field: { type: 'string' },
        code: { type: 'string' },
        reason: { type: 'string', description: 'Which of the reasons that the code stands for' },
        message: { type: 'string' },
      },
    },
  })
  errors?: { pointer?: string; field?: string; code?: string; reason?: string; message: string }[];
}
