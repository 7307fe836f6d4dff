import { ApiProperty, ApiPropertyOptional } from '@nestjs/swagger';
import { Type } from 'class-transformer';
import { IsInt, IsOptional, IsString, Matches, Max, MaxLength, Min } from 'class-validator';
import { PolicyInput, PolicyView } from './administration';

const PAGE_MAX = 200;

export class PolicyVersionView extends PolicyView {
  @ApiProperty({ pattern: '^sha256:[0-9a-f]{64}$', description: "SHA-256 of the policy's RFC 8785 JSON, as verdicts name it" })
  digest!: string;

  @ApiProperty({ description: 'Whether it decides now' }) active!: boolean;
  @ApiProperty({ format: 'date-time' }) createdAt!: string;
  @ApiProperty() createdBy!: string;
  @ApiProperty({ type: String, format: 'date-time', nullable: true, description: 'When the next version took its place' })
  supersededAt!: string | null;
}

export class PolicyVersionList {
  @ApiProperty({ type: [PolicyVersionView], description: 'Newest first' }) versions!: PolicyVersionView[];
  @ApiProperty({ type: String, nullable: true, description: 'The cursor of the versions before these' }) next!: string | null;
}

export class PolicyVersionsQuery {
  @ApiPropertyOptional({ description: 'Versions in the answer at the most', minimum: 1, maximum: PAGE_MAX, default: 50 })
  @IsOptional()
  @Type(() => Number)
  @IsInt()
  @Min(1)
  @Max(PAGE_MAX)
  limit: number = 50;

  @ApiPropertyOptional({ description: 'The `next` of the page before', pattern: '^[1-9][0-9]{0,8}$' })
  @IsOptional()
  @Matches(/^[1-9][0-9]{0,8}$/)
  cursor?: string;
}

export class PolicyTrialInput extends PolicyInput {
  @ApiPropertyOptional({ description: 'The `next` of the answer before', maxLength: 300 })
  @IsOptional()
  @IsString()
  @MaxLength(300)
  cursor?: string;

  @ApiPropertyOptional({ description: 'Decisions gone through for one answer at the most', minimum: 1, maximum: PAGE_MAX, default: 50 })
  @IsOptional()
  @IsInt()
  @Min(1)
  @Max(PAGE_MAX)
  limit: number = 50;
}

export class PolicyDecisionView {
  @ApiProperty({ enum: ['accepted', 'rejected'] }) outcome!: 'accepted' | 'rejected';
  @ApiProperty({ type: String, nullable: true, description: 'Who decides, as `name@version`; null where no policy covers the version' })
  policy!: string | null;

  @ApiProperty({ description: 'The check that settles it' }) check!: string;
  @ApiProperty({ description: "The check's reason" }) reason!: string;
  @ApiProperty({ type: String, nullable: true, description: 'The signature or attestation it speaks of' }) evidence!: string | null;
}

export class PolicyChangeView {
  @ApiProperty() packId!: string;
  @ApiProperty() version!: string;
  @ApiProperty({ description: 'A channel that the version was let into' }) channel!: string;
  @ApiProperty({ type: PolicyDecisionView }) now!: PolicyDecisionView;
  @ApiProperty({ type: PolicyDecisionView }) then!: PolicyDecisionView;
}

export class PolicyTrialAnswer {
  @ApiProperty({ description: 'Decisions gone through for this answer: published versions, in each channel that they were let into' })
  examined!: number;

  @ApiProperty({ description: 'Those of them that are made by the policy of this name, as it is or as it would be' })
  affected!: number;

  @ApiProperty({ type: [PolicyChangeView], description: 'Decisions that would be others; no more, and no fewer' })
  changes!: PolicyChangeView[];

  @ApiProperty({ type: String, nullable: true, description: 'The `cursor` of the decisions behind these; null: there are none' })
  next!: string | null;
}
