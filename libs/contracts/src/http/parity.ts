import { ApiProperty, ApiPropertyOptional } from '@nestjs/swagger';
import { Type } from 'class-transformer';
import { IsIn, IsInt, IsOptional, IsString, Max, MaxLength, Min } from 'class-validator';
import { PARITY_CHECK_CAUSES, PARITY_CHECK_STATES, PARITY_DEPTHS, PARITY_STATES, type ParityDepth, type ParityState } from '../parity';

const REQUEST_DEPTHS = ['bytes', 'index'] as const;
const DEPTH = {
  enum: PARITY_DEPTHS,
  description: '`bytes` hashes every byte at the mirror, `changes` those not proven before, `index` none',
};

export class ParityRequest {
  @ApiProperty()
  @IsString()
  @MaxLength(64)
  mirrorId!: string;

  @ApiPropertyOptional({ enum: REQUEST_DEPTHS, default: 'bytes', description: '`index` believes what the mirror says of itself' })
  @IsOptional()
  @IsIn(REQUEST_DEPTHS)
  depth: (typeof REQUEST_DEPTHS)[number] = 'bytes';
}

export class ParityCountsView {
  @ApiProperty() 'in-step'!: number;
  @ApiProperty() missing!: number;
  @ApiProperty() extra!: number;
  @ApiProperty() 'different-digest'!: number;
  @ApiProperty() 'missing-signature'!: number;
  @ApiProperty() 'stale-state'!: number;
}

export class ParityProgress {
  @ApiProperty() versions!: number;
  @ApiProperty() totalVersions!: number;
  @ApiProperty() hashedBytes!: number;
}

export class ParityCheckError {
  @ApiProperty() code!: string;
  @ApiProperty() message!: string;
}

export class ParityCheckView {
  @ApiProperty() id!: string;
  @ApiProperty() mirrorId!: string;
  @ApiProperty({ enum: PARITY_CHECK_STATES }) state!: (typeof PARITY_CHECK_STATES)[number];
  @ApiProperty({ enum: PARITY_CHECK_CAUSES }) cause!: (typeof PARITY_CHECK_CAUSES)[number];
  @ApiProperty(DEPTH) depth!: ParityDepth;
  @ApiProperty() requestedBy!: string;
  @ApiProperty({ format: 'date-time' }) createdAt!: string;
  @ApiProperty({ type: String, format: 'date-time', nullable: true }) startedAt!: string | null;
  @ApiProperty({ type: String, format: 'date-time', nullable: true }) finishedAt!: string | null;
  @ApiProperty({ description: 'How often it was begun' }) attempts!: number;
  @ApiProperty() progress!: ParityProgress;
  @ApiProperty({ type: Boolean, nullable: true, description: 'null until it is done' }) inStep!: boolean | null;
  @ApiProperty({ type: ParityCountsView, nullable: true, description: 'null until it is done' }) counts!: ParityCountsView | null;
  @ApiProperty({ type: ParityCheckError, nullable: true, description: 'Of the last attempt' }) error!: ParityCheckError | null;
}

export class ParityQuery {
  @ApiPropertyOptional({ description: 'Only this mirror' })
  @IsOptional()
  @IsString()
  @MaxLength(64)
  mirrorId?: string;

  @ApiPropertyOptional({ enum: PARITY_STATES, description: 'Only rows in this state' })
  @IsOptional()
  @IsIn(PARITY_STATES)
  state?: ParityState;

  @ApiPropertyOptional({ minimum: 1, maximum: 200, default: 50 })
  @IsOptional()
  @Type(() => Number)
  @IsInt()
  @Min(1)
  @Max(200)
  limit: number = 50;

  @ApiPropertyOptional({ description: 'The `next` of the page before' })
  @IsOptional()
  @IsString()
  @MaxLength(2048)
  cursor?: string;
}

export class MirrorLastSync {
  @ApiProperty({ description: 'Completed syncs so far' }) seq!: number;
  @ApiProperty({ type: String, format: 'date-time', nullable: true }) at!: string | null;
}

export class MirrorParity {
  @ApiProperty() mirrorId!: string;
  @ApiProperty() name!: string;
  @ApiProperty({ description: 'True only when its last comparison found no difference and nothing has changed since' }) inStep!: boolean;
  @ApiProperty({ description: 'Rows by state' }) counts!: ParityCountsView;
  @ApiProperty({
    type: String,
    format: 'date-time',
    nullable: true,
    description: 'When the last finished comparison began; null: it was never compared',
  })
  checkedAt!: string | null;
  @ApiProperty({ ...DEPTH, type: String, nullable: true }) depth!: ParityDepth | null;
  @ApiProperty({ type: String, nullable: true }) comparisonId!: string | null;
  @ApiProperty({
    type: String,
    format: 'date-time',
    nullable: true,
    description: 'Time of the oldest change that no comparison has seen since',
  })
  pendingSince!: string | null;
  @ApiProperty({ type: MirrorLastSync }) lastSync!: MirrorLastSync;
  @ApiProperty({ type: ParityCheckError, nullable: true, description: 'Why the last comparison could not be done' })
  error!: ParityCheckError | null;
}

export class ParityRow {
  @ApiProperty() mirrorId!: string;
  @ApiProperty({ type: String, nullable: true, description: 'null: a file that belongs to no version' }) packId!: string | null;
  @ApiProperty({ type: String, nullable: true }) version!: string | null;
  @ApiProperty({ type: String, nullable: true, description: 'Of a file that belongs to no version, or of the first one that differs' })
  path!: string | null;
  @ApiProperty({ enum: PARITY_STATES }) state!: ParityState;
  @ApiProperty({ description: 'An event told of it, and no comparison has seen it yet' }) pending!: boolean;
  @ApiProperty({ format: 'date-time' }) checkedAt!: string;
  @ApiProperty({ type: String, nullable: true }) comparisonId!: string | null;
}

export class ParityResponse {
  @ApiProperty({ type: [MirrorParity] }) mirrors!: MirrorParity[];
  @ApiProperty({ type: [ParityRow], description: 'In the order of mirror, packId and version' }) rows!: ParityRow[];
  @ApiProperty({ type: String, nullable: true }) next!: string | null;
}
