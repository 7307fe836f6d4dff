import { ApiProperty, ApiPropertyOptional } from '@nestjs/swagger';
import { CHANNEL_MAX, NAME_PATTERN, PACK_TYPES, type PackType } from '@packs/domain';
import { IsIn, IsOptional, Matches, MaxLength } from 'class-validator';

const PERCENT = { type: Number, nullable: true, description: 'Of the versions, to one decimal; null when there is none' } as const;

export class ComplianceQuery {
  @ApiPropertyOptional({ description: 'Only versions that this channel points at', pattern: NAME_PATTERN })
  @IsOptional()
  @Matches(new RegExp(NAME_PATTERN))
  @MaxLength(CHANNEL_MAX)
  channel?: string;

  @ApiPropertyOptional({ enum: PACK_TYPES, enumName: 'PackType' })
  @IsOptional()
  @IsIn(PACK_TYPES)
  type?: PackType;
}

export class PredicateCoverage {
  @ApiProperty() predicateType!: string;
  @ApiProperty({ description: 'Versions with such an attestation' }) versions!: number;
  @ApiProperty(PERCENT) percent!: number | null;
}

export class AttestationCoverage {
  @ApiProperty({ description: 'Packs of which every version counted here is attested' }) packs!: number;
  @ApiProperty({ description: 'Versions with an attestation by a key that is trusted now' }) versions!: number;
  @ApiProperty(PERCENT) percent!: number | null;
  @ApiProperty({ type: [PredicateCoverage] }) byPredicateType!: PredicateCoverage[];
}

export class SignatureStatus {
  @ApiProperty({ description: 'Versions with a valid signature by a key that is trusted now' }) signed!: number;
  @ApiProperty({ description: 'Versions whose signatures are by no key that is trusted now' }) untrusted!: number;
  @ApiProperty() unsigned!: number;
  @ApiProperty({ ...PERCENT, description: 'Signed, of the versions' }) percent!: number | null;
}

export class ScanStatus {
  @ApiProperty({ description: 'Versions that every scanner looked at that was wanted when they were published' }) scanned!: number;
  @ApiProperty({ description: 'Versions that some of them looked at' }) partlyScanned!: number;
  @ApiProperty({ description: 'Versions that no scanner has looked at' }) notScanned!: number;
}

export class LifecycleStatus {
  @ApiProperty() active!: number;
  @ApiProperty() deprecated!: number;
  @ApiProperty() archived!: number;
}

export class Coverage {
  @ApiProperty() packs!: number;
  @ApiProperty() versions!: number;
  @ApiProperty({ type: AttestationCoverage }) attestations!: AttestationCoverage;
  @ApiProperty({ type: SignatureStatus }) signatures!: SignatureStatus;
  @ApiProperty({ type: ScanStatus }) scans!: ScanStatus;
  @ApiProperty({ type: LifecycleStatus }) lifecycle!: LifecycleStatus;
}

export class TypeCoverage extends Coverage {
  @ApiProperty({ enum: PACK_TYPES, enumName: 'PackType' }) type!: PackType;
}

export class ChannelCoverage extends Coverage {
  @ApiProperty({ description: 'A version that several channels point at counts in each' }) channel!: string;
}

/** How well a tenant's versions are covered, as far as the events say up to `asOf`. */
export class ComplianceSummary {
  @ApiProperty() tenant!: string;
  @ApiProperty({ type: String, format: 'date-time', nullable: true, description: 'When the newest event that is counted happened' })
  asOf!: string | null;
  @ApiProperty({ type: Coverage }) totals!: Coverage;
  @ApiProperty({ type: [TypeCoverage] }) byType!: TypeCoverage[];
  @ApiProperty({ type: [ChannelCoverage] }) byChannel!: ChannelCoverage[];
}
