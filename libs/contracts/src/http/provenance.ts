import { ApiProperty, ApiPropertyOptional } from '@nestjs/swagger';
import { Transform } from 'class-transformer';
import { IsBoolean, IsOptional } from 'class-validator';
import { SignerView } from './attestations';
import { toBoolean } from './parameters';

const DIGEST = { pattern: '^sha256:[0-9a-f]{64}$', example: `sha256:${'0'.repeat(64)}` };
const TEXT = { type: String, nullable: true } as const;
const TIME = { type: String, format: 'date-time', nullable: true } as const;

/** Which statement something is known from. */
export class StatedView {
  @ApiProperty({ ...DIGEST, description: 'The attestation that says so' }) attestation!: string;
  @ApiProperty() predicateType!: string;
  @ApiProperty({ type: [SignerView], description: 'Whose word it is' }) signers!: SignerView[];
}

class ReadView extends StatedView {
  @ApiProperty({ type: [String], description: 'Places of the predicate (JSON pointers) whose values cannot be shown' }) leftOut!: string[];
}

export class BuildSourceView {
  @ApiProperty() repository!: string;
  @ApiProperty(TEXT) ref!: string | null;
  @ApiProperty(TEXT) commit!: string | null;
}

export class MaterialView {
  @ApiProperty(TEXT) name!: string | null;
  @ApiProperty(TEXT) uri!: string | null;
  @ApiProperty({ description: 'algorithm → digest', type: 'object', additionalProperties: { type: 'string' } }) digests!: Record<
    string,
    string
  >;
}

/** How it was built, as SLSA provenance v1 says. */
export class BuildView extends ReadView {
  @ApiProperty({ ...TEXT, description: 'The id of the builder' }) builder!: string | null;
  @ApiProperty(TEXT) buildType!: string | null;
  @ApiProperty({ type: BuildSourceView, nullable: true }) source!: BuildSourceView | null;
  @ApiProperty({ ...TEXT, description: 'The id of the run' }) invocation!: string | null;
  @ApiProperty(TIME) startedAt!: string | null;
  @ApiProperty(TIME) finishedAt!: string | null;
  @ApiProperty({ type: [MaterialView], description: 'The first 64 of what went into the build' }) materials!: MaterialView[];
  @ApiProperty({ description: 'All of them' }) materialCount!: number;
}

export class SbomView extends ReadView {
  @ApiProperty({ enum: ['CycloneDX', 'SPDX'] }) format!: 'CycloneDX' | 'SPDX';
  @ApiProperty(TEXT) specVersion!: string | null;
  @ApiProperty({ ...TEXT, description: 'Serial number or document namespace' }) id!: string | null;
  @ApiProperty({ description: 'Components or packages; 100000 stands for as many or more' }) components!: number;
  @ApiProperty({ ...DIGEST, type: String, nullable: true, description: "SHA-256 of the SBOM's RFC 8785 JSON" }) digest!: string | null;
}

export class TestResultView extends ReadView {
  @ApiProperty({ type: String, enum: ['PASSED', 'WARNED', 'FAILED'], nullable: true }) result!: 'PASSED' | 'WARNED' | 'FAILED' | null;
  @ApiProperty(TEXT) url!: string | null;
  @ApiProperty() passed!: number;
  @ApiProperty() warned!: number;
  @ApiProperty() failed!: number;
}

/** Where a version comes from, as far as verified attestations say. */
export class ProvenanceReport {
  @ApiProperty() packId!: string;
  @ApiProperty({ description: 'The tenant that owns it' }) tenant!: string;
  @ApiProperty() version!: string;
  @ApiProperty({ ...DIGEST, description: 'Of the bundle' }) digest!: string;
  @ApiProperty({ ...DIGEST, description: 'Of the OCI manifest' }) manifestDigest!: string;
  @ApiProperty({ type: [BuildView] }) builds!: BuildView[];
  @ApiProperty({ type: [SbomView] }) sboms!: SbomView[];
  @ApiProperty({ type: [TestResultView] }) tests!: TestResultView[];
  @ApiProperty({ type: [StatedView], description: 'Statements of which no more than the type is known here' }) others!: StatedView[];
}

export class EvidenceQuery {
  @ApiPropertyOptional({ type: Boolean, description: 'With the bundle itself; absent: with its digest alone' })
  @IsOptional()
  @Transform(toBoolean)
  @IsBoolean()
  bundle?: boolean;
}
