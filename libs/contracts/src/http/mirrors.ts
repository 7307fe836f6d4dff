import { ApiProperty, ApiPropertyOptional } from '@nestjs/swagger';
import { CHANNEL_MAX, NAME_PATTERN, PACK_TYPES, type PackType } from '@packs/domain';
import { Type } from 'class-transformer';
import {
  ArrayMaxSize,
  ArrayMinSize,
  ArrayUnique,
  IsArray,
  IsBoolean,
  IsIn,
  IsInt,
  IsOptional,
  IsString,
  Matches,
  Max,
  MaxLength,
  Min,
  MinLength,
  ValidateNested,
} from 'class-validator';
import {
  LOCATION_MAX,
  LOCATION_PATTERN,
  MIRROR_INTERVAL_MAX,
  MIRROR_INTERVAL_MIN,
  MIRROR_JOB_CAUSES,
  MIRROR_JOB_STATES,
  MIRROR_KINDS,
  MIRROR_NAME_MAX,
  REGISTRY_LOCATION_PATTERN,
  type MirrorKind,
} from '../mirror';
import { PACK_ID_SELECTOR_PATTERN, SELECTION_MAX } from '../selection';

const NAME = new RegExp(NAME_PATTERN);
const LIST = { isArray: true, minItems: 1, maxItems: SELECTION_MAX };

/** Which versions travel. Members narrow each other; an absent one selects everything. */
export class SelectionInput {
  @ApiPropertyOptional({ ...LIST, type: String, description: 'Versions that were published or promoted to one of these channels' })
  @IsOptional()
  @IsArray()
  @ArrayMinSize(1)
  @ArrayMaxSize(SELECTION_MAX)
  @ArrayUnique()
  @Matches(NAME, { each: true })
  @MaxLength(CHANNEL_MAX, { each: true })
  channels?: string[];

  @ApiPropertyOptional({ ...LIST, enum: PACK_TYPES, enumName: 'PackType' })
  @IsOptional()
  @IsArray()
  @ArrayMinSize(1)
  @ArrayUnique()
  @IsIn(PACK_TYPES, { each: true })
  types?: PackType[];

  @ApiPropertyOptional({ ...LIST, type: String, description: 'A packId, or the beginning of one and `*`', example: ['acme.*'] })
  @IsOptional()
  @IsArray()
  @ArrayMinSize(1)
  @ArrayMaxSize(SELECTION_MAX)
  @ArrayUnique()
  @Matches(new RegExp(PACK_ID_SELECTOR_PATTERN), { each: true })
  @MaxLength(129, { each: true })
  packIds?: string[];

  @ApiPropertyOptional({ ...LIST, type: String, description: 'Versions with one of these tags' })
  @IsOptional()
  @IsArray()
  @ArrayMinSize(1)
  @ArrayMaxSize(SELECTION_MAX)
  @ArrayUnique()
  @IsString({ each: true })
  @MinLength(1, { each: true })
  @MaxLength(64, { each: true })
  tags?: string[];
}

export class MirrorRequest {
  @ApiProperty({ pattern: NAME_PATTERN, maxLength: MIRROR_NAME_MAX })
  @Matches(NAME)
  @MaxLength(MIRROR_NAME_MAX)
  name!: string;

  @ApiProperty({ enum: MIRROR_KINDS })
  @IsIn(MIRROR_KINDS)
  kind!: MirrorKind;

  @ApiProperty({
    anyOf: [{ pattern: LOCATION_PATTERN }, { pattern: REGISTRY_LOCATION_PATTERN }],
    type: String,
    maxLength: LOCATION_MAX,
    description: "A folder below the tenant's part of the mirror root; for a registry its host and a path that ends with the tenant",
    examples: ['sites/north', 'registry.example/mirrors/acme'],
  })
  @IsString()
  @MaxLength(LOCATION_MAX)
  location!: string;

  @ApiPropertyOptional({ type: SelectionInput, description: 'Absent: every version of the tenant' })
  @IsOptional()
  @ValidateNested()
  @Type(() => SelectionInput)
  selection?: SelectionInput;

  @ApiPropertyOptional({
    type: Number,
    nullable: true,
    minimum: MIRROR_INTERVAL_MIN,
    maximum: MIRROR_INTERVAL_MAX,
    description: 'Seconds between two syncs that nothing else asks for; absent: only events and requests do',
  })
  @IsOptional()
  @IsInt()
  @Min(MIRROR_INTERVAL_MIN)
  @Max(MIRROR_INTERVAL_MAX)
  intervalSeconds?: number | null;

  @ApiPropertyOptional({ default: true })
  @IsOptional()
  @IsBoolean()
  enabled: boolean = true;
}

export class MirrorSyncRequest {
  @ApiPropertyOptional({ default: false, description: 'Read every byte at the mirror again and repair what differs' })
  @IsOptional()
  @IsBoolean()
  verify: boolean = false;
}

export class MirrorJobError {
  @ApiProperty({ example: 'ERR_MIRROR_TARGET_FULL' }) code!: string;
  @ApiProperty() message!: string;
}

export class MirrorProgress {
  @ApiProperty() versions!: number;
  @ApiProperty() totalVersions!: number;
  @ApiProperty({ description: 'Bytes that are at the mirror' }) bytes!: number;
  @ApiProperty() totalBytes!: number;
  @ApiProperty({ description: 'Bytes that its last attempt wrote' }) copiedBytes!: number;
  @ApiProperty({ description: 'Blobs found altered and written again' }) repaired!: number;
  @ApiProperty({ description: 'Versions that were not handed on' }) skipped!: number;
}

export class MirrorSkip {
  @ApiProperty() packId!: string;
  @ApiProperty() version!: string;
  @ApiProperty({ example: 'ERR_PACK_WITHDRAWN' }) code!: string;
}

export class MirrorJobView {
  @ApiProperty() id!: string;
  @ApiProperty() mirrorId!: string;
  @ApiProperty({ enum: MIRROR_JOB_STATES }) state!: (typeof MIRROR_JOB_STATES)[number];
  @ApiProperty({ enum: MIRROR_JOB_CAUSES }) cause!: (typeof MIRROR_JOB_CAUSES)[number];
  @ApiProperty() verify!: boolean;
  @ApiProperty() requestedBy!: string;
  @ApiProperty({ format: 'date-time' }) createdAt!: string;
  @ApiProperty({ type: String, format: 'date-time', nullable: true }) startedAt!: string | null;
  @ApiProperty({ type: String, format: 'date-time', nullable: true }) finishedAt!: string | null;
  @ApiProperty({ description: 'How often it was begun' }) attempts!: number;
  @ApiProperty({ type: String, format: 'date-time', nullable: true }) nextAttemptAt!: string | null;
  @ApiProperty() progress!: MirrorProgress;
  @ApiProperty({ type: [MirrorSkip], description: 'The first of the versions that were not handed on' }) skipped!: MirrorSkip[];
  @ApiProperty({ type: MirrorJobError, nullable: true, description: 'Of the last attempt' }) error!: MirrorJobError | null;
}

export class MirrorJobList {
  @ApiProperty({ type: [MirrorJobView], description: 'Newest first' }) jobs!: MirrorJobView[];
  @ApiProperty({ type: String, nullable: true }) next!: string | null;
}

export class MirrorResponse {
  @ApiProperty() id!: string;
  @ApiProperty() tenant!: string;
  @ApiProperty() name!: string;
  @ApiProperty({ enum: MIRROR_KINDS }) kind!: MirrorKind;
  @ApiProperty() location!: string;
  @ApiProperty({ type: SelectionInput }) selection!: SelectionInput;
  @ApiProperty({ type: Number, nullable: true }) intervalSeconds!: number | null;
  @ApiProperty() enabled!: boolean;
  @ApiProperty({ format: 'date-time' }) createdAt!: string;
  @ApiProperty() createdBy!: string;
  @ApiProperty({ format: 'date-time' }) updatedAt!: string;
  @ApiProperty() updatedBy!: string;
  @ApiProperty({ description: 'Completed syncs so far' }) seq!: number;
  @ApiProperty({ type: String, nullable: true, description: 'Digest of the state it shows' }) stateDigest!: string | null;
  @ApiProperty({ type: String, format: 'date-time', nullable: true }) syncedAt!: string | null;
  @ApiProperty({ type: String, format: 'date-time', nullable: true, description: 'Time of the oldest change it does not show yet' })
  pendingSince!: string | null;
  @ApiProperty({ description: 'The next sync reads every byte again' }) needsVerify!: boolean;
}

export class MirrorList {
  @ApiProperty({ type: [MirrorResponse] }) mirrors!: MirrorResponse[];
}

export class MirrorJobQuery {
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
  @MaxLength(64)
  cursor?: string;
}
