import { ApiProperty, ApiPropertyOptional } from '@nestjs/swagger';
import { LIFECYCLES, PACK_TYPES, type Lifecycle, type PackType, type Verdict } from '@packs/domain';

const DIGEST = { pattern: '^sha256:[0-9a-f]{64}$', example: `sha256:${'0'.repeat(64)}` };

export class DependencyView {
  @ApiProperty() packId!: string;
  @ApiProperty({ description: 'A SemVer range' }) version!: string;
}

/** A pack as its newest version that is not deprecated shows it; when all are, its newest. */
export class PackView {
  @ApiProperty() packId!: string;
  @ApiProperty({ description: 'The tenant that owns it' }) tenant!: string;
  @ApiProperty() version!: string;
  @ApiProperty({ enum: PACK_TYPES, enumName: 'PackType' }) type!: PackType;
  @ApiProperty() name!: string;
  @ApiProperty({ type: String, nullable: true }) description!: string | null;
  @ApiProperty({ ...DIGEST, description: "SHA-256 of the version's bundle" }) digest!: string;
  @ApiProperty({ ...DIGEST, description: 'Digest of its OCI manifest' }) manifestDigest!: string;
  @ApiProperty({ description: 'Bytes of the bundle' }) size!: number;
  @ApiProperty({ format: 'date-time' }) publishedAt!: string;
  @ApiProperty({ type: String, nullable: true }) author!: string | null;
  @ApiProperty({ type: [String] }) tags!: string[];
  @ApiProperty({ description: 'channel → version', type: 'object', additionalProperties: { type: 'string' } }) channels!: Record<
    string,
    string
  >;
  @ApiProperty({ description: 'Deprecated or archived' }) deprecated!: boolean;
  @ApiProperty({ enum: LIFECYCLES, enumName: 'Lifecycle' }) lifecycle!: Lifecycle;
  @ApiProperty({ type: [DependencyView] }) dependencies!: DependencyView[];
  @ApiProperty({ type: 'object', additionalProperties: true }) metadata!: Record<string, unknown>;
}

/** The short form that the `/packs` alias answers with. */
export class PackSummary {
  @ApiProperty() packId!: string;
  @ApiProperty() version!: string;
  @ApiProperty({ enum: PACK_TYPES, enumName: 'PackType' }) type!: PackType;
  @ApiProperty() name!: string;
  @ApiProperty({ type: String, nullable: true }) description!: string | null;
  @ApiProperty(DIGEST) digest!: string;
  @ApiProperty() size!: number;
  @ApiProperty({ format: 'date-time' }) publishedAt!: string;
  @ApiProperty({ type: String, nullable: true }) author!: string | null;
}

export class PackSummaryList {
  @ApiProperty({ type: [PackSummary] }) packs!: PackSummary[];
  @ApiProperty({ type: String, nullable: true }) next!: string | null;
}

export class PackList {
  @ApiProperty({ type: [PackView] }) packs!: PackView[];
  @ApiProperty({ type: String, nullable: true, description: 'The cursor of the next page' }) next!: string | null;
}

export class PackDetail {
  @ApiProperty({ type: PackView }) pack!: PackView;
}

export class SignatureView {
  @ApiProperty(DIGEST) digest!: string;
  @ApiProperty() mediaType!: string;
  @ApiProperty() size!: number;
  @ApiProperty({ type: String, nullable: true, description: 'The trusted key that made it, as named when it was verified' })
  keyName!: string | null;
  @ApiProperty({ type: String, nullable: true }) keyId!: string | null;
  @ApiProperty({ type: String, nullable: true }) scheme!: string | null;
}

export class SignatureDocument {
  @ApiProperty(DIGEST) digest!: string;
  @ApiProperty() mediaType!: string;
  @ApiProperty() size!: number;
  @ApiProperty({ description: 'The exact document, base64' }) content!: string;
}

export class SignatureList {
  @ApiProperty({ type: [SignatureDocument] }) signatures!: SignatureDocument[];
}

export class DeprecationView {
  @ApiProperty({ format: 'date-time' }) at!: string;
  @ApiProperty() by!: string;
  @ApiProperty({ type: String, nullable: true }) reason!: string | null;
  @ApiProperty({ type: String, nullable: true }) replacement!: string | null;
}

export class ArchivalView {
  @ApiProperty({ format: 'date-time' }) at!: string;
  @ApiProperty() by!: string;
  @ApiProperty({ type: String, nullable: true }) reason!: string | null;
}

export class CompatibilityView {
  @ApiPropertyOptional({ description: 'SemVer range of `stella` versions' }) cli?: string;
  @ApiPropertyOptional({ type: 'object', additionalProperties: { type: 'string' } }) runner?: Record<string, string>;
}

export class ProvenanceView {
  @ApiProperty({ type: [String], description: 'URIs of what was attested; each is verified anew when it is read' }) attestations!: string[];
  @ApiProperty({ type: String, nullable: true, description: 'The User-Agent that published it' }) source!: string | null;
}

/** One version: what was signed, what the registry knows of it, and why it was accepted. */
export class VersionView {
  @ApiProperty() packId!: string;
  @ApiProperty() tenant!: string;
  @ApiProperty() version!: string;
  @ApiProperty({ enum: PACK_TYPES, enumName: 'PackType' }) type!: PackType;
  @ApiProperty(DIGEST) digest!: string;
  @ApiProperty(DIGEST) manifestDigest!: string;
  @ApiProperty() size!: number;
  @ApiProperty({ format: 'date-time' }) publishedAt!: string;
  @ApiProperty() publishedBy!: string;
  @ApiProperty({ type: [String], description: 'Channels that point at it' }) channels!: string[];
  @ApiProperty({ description: 'Deprecated or archived' }) deprecated!: boolean;
  @ApiProperty({ enum: LIFECYCLES, enumName: 'Lifecycle' }) lifecycle!: Lifecycle;
  @ApiProperty({ type: DeprecationView, nullable: true }) deprecation!: DeprecationView | null;
  @ApiProperty({ type: ArchivalView, nullable: true }) archival!: ArchivalView | null;
  @ApiProperty({ type: [String] }) tenantVisibility!: string[];
  @ApiProperty({ type: CompatibilityView }) compatibility!: CompatibilityView;
  @ApiProperty({ type: [DependencyView] }) dependencies!: DependencyView[];
  @ApiProperty({ type: ProvenanceView }) provenance!: ProvenanceView;
  @ApiProperty({ type: 'object', additionalProperties: true, description: 'pack.yaml as JSON' }) manifest!: Record<string, unknown>;
  @ApiProperty({ type: [SignatureView] }) signatures!: SignatureView[];
  @ApiProperty({ type: 'object', additionalProperties: true, description: 'The stored verdict and its hash' })
  verdict!: Verdict & { hash: string };
}

export class VerdictFaultView {
  @ApiProperty() code!: string;
  @ApiPropertyOptional({ description: 'Which of the reasons that the code stands for' }) reason?: string;
  @ApiProperty() message!: string;
  @ApiPropertyOptional() field?: string;
  @ApiPropertyOptional() pointer?: string;
}

/** Why a version is served, or is not. */
export class VerdictAnswer {
  @ApiProperty() packId!: string;
  @ApiProperty() tenant!: string;
  @ApiProperty() version!: string;
  @ApiProperty({ enum: ['served', 'withdrawn'] }) state!: 'served' | 'withdrawn';
  @ApiProperty({ type: 'object', additionalProperties: true, description: 'The verdict that let it in, as it is stored, and its hash' })
  stored!: Verdict & { hash: string };
  @ApiProperty({
    type: 'object',
    additionalProperties: true,
    nullable: true,
    description: 'By the same policy under the keys of now; null as long as the stored one was made under them',
  })
  current!: (Verdict & { hash: string }) | null;
  @ApiProperty({ type: [VerdictFaultView], description: 'What the failed checks of `current` mean' })
  faults!: readonly VerdictFaultView[];
}

export class VersionList {
  @ApiProperty({ type: [VersionView] }) versions!: VersionView[];
  @ApiProperty({ type: String, nullable: true }) next!: string | null;
}

/** The short form that the `/packs/{id}/versions` alias answers with. */
export class VersionSummary {
  @ApiProperty() version!: string;
  @ApiProperty(DIGEST) digest!: string;
  @ApiProperty() size!: number;
  @ApiProperty({ format: 'date-time' }) publishedAt!: string;
  @ApiProperty() deprecated!: boolean;
}

export class VersionSummaryList {
  @ApiProperty({ type: [VersionSummary] }) versions!: VersionSummary[];
  @ApiProperty({ type: String, nullable: true }) next!: string | null;
}

export class DeletedAnswer {
  @ApiProperty() deleted!: boolean;
}

export class PublishAnswer {
  @ApiProperty() packId!: string;
  @ApiProperty() version!: string;
  @ApiProperty() tenant!: string;
  @ApiProperty(DIGEST) digest!: string;
  @ApiProperty(DIGEST) manifestDigest!: string;
  @ApiProperty() size!: number;
  @ApiProperty() channel!: string;
  @ApiProperty({
    enum: ['published', 'pending'],
    description: '`pending`: it waits for the signatures its policy asks for, and nobody sees it',
  })
  state!: 'published' | 'pending';
  @ApiProperty({ ...DIGEST, description: 'Hash of the verdict on it' }) verdict!: string;
  @ApiPropertyOptional({ format: 'date-time', description: 'When a pending version gives its number back' }) expiresAt?: string;
  @ApiPropertyOptional({ type: 'array', items: { type: 'object' }, description: 'What a pending version lacks' })
  lacks?: readonly { readonly code: string; readonly reason?: string; readonly message: string }[];
  @ApiPropertyOptional({
    type: 'array',
    items: { type: 'object' },
    description: 'Of a pack that was published by reference: manifests that refer to it there and did not come, each with why',
  })
  notCarried?: readonly { readonly what: string; readonly code: string; readonly reason: string }[];
}
