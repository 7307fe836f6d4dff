import { ApiProperty, ApiPropertyOptional } from '@nestjs/swagger';
import { CHANNEL_MAX, NAME_PATTERN, PACK_TYPES, REPOSITORY_NAME_MAX, REPOSITORY_PATTERN, type PackType } from '@packs/domain';
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
import {
  PULL_BYTES_DEFAULT,
  PULL_BYTES_MAX,
  PULL_NEWEST_MAX,
  PULL_RANGE_MAX,
  PULL_REPOSITORIES_MAX,
  PULL_VERSIONS_DEFAULT,
  PULL_VERSIONS_MAX,
  TAG_SELECTOR_PATTERN,
} from '../pull-policy';
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

/** One repository at the upstream, and which of its tags are wanted. Without `tags`, `range` and `channels` every tag is. */
export class PulledRepositoryInput {
  @ApiProperty({ pattern: REPOSITORY_PATTERN, maxLength: REPOSITORY_NAME_MAX, description: "Behind the mirror's location" })
  @Matches(new RegExp(REPOSITORY_PATTERN))
  @MaxLength(REPOSITORY_NAME_MAX)
  repository!: string;

  @ApiPropertyOptional({ pattern: REPOSITORY_PATTERN, maxLength: REPOSITORY_NAME_MAX, description: 'Its name here; absent: the same' })
  @IsOptional()
  @Matches(new RegExp(REPOSITORY_PATTERN))
  @MaxLength(REPOSITORY_NAME_MAX)
  as?: string;

  @ApiPropertyOptional({ ...LIST, type: String, description: 'Tags, or beginnings of them and `*`', example: ['1.0.0', '2.*'] })
  @IsOptional()
  @IsArray()
  @ArrayMinSize(1)
  @ArrayMaxSize(SELECTION_MAX)
  @ArrayUnique()
  @Matches(new RegExp(TAG_SELECTOR_PATTERN), { each: true })
  tags?: string[];

  @ApiPropertyOptional({ maxLength: PULL_RANGE_MAX, description: 'Versions that satisfy a SemVer range', example: '^1.2' })
  @IsOptional()
  @IsString()
  @MinLength(1)
  @MaxLength(PULL_RANGE_MAX)
  range?: string;

  @ApiPropertyOptional({ ...LIST, type: String, description: 'Tags that move: what each names now is wanted, too', example: ['stable'] })
  @IsOptional()
  @IsArray()
  @ArrayMinSize(1)
  @ArrayMaxSize(SELECTION_MAX)
  @ArrayUnique()
  @Matches(new RegExp(TAG_SELECTOR_PATTERN), { each: true })
  channels?: string[];

  @ApiPropertyOptional({
    minimum: 1,
    maximum: PULL_NEWEST_MAX,
    description: 'Of the versions that `tags` and `range` name, the newest so many',
  })
  @IsOptional()
  @IsInt()
  @Min(1)
  @Max(PULL_NEWEST_MAX)
  newest?: number;
}

/** What a mirror brings in from the registry that it lies in. */
export class PullPolicyInput {
  @ApiProperty({ type: [PulledRepositoryInput], minItems: 1, maxItems: PULL_REPOSITORIES_MAX })
  @IsArray()
  @ArrayMinSize(1)
  @ArrayMaxSize(PULL_REPOSITORIES_MAX)
  @ValidateNested({ each: true })
  @Type(() => PulledRepositoryInput)
  repositories!: PulledRepositoryInput[];

  @ApiPropertyOptional({ minimum: 1, maximum: PULL_VERSIONS_MAX, default: PULL_VERSIONS_DEFAULT, description: 'What one sync brings in' })
  @IsOptional()
  @IsInt()
  @Min(1)
  @Max(PULL_VERSIONS_MAX)
  maxVersions: number = PULL_VERSIONS_DEFAULT;

  @ApiPropertyOptional({ minimum: 1, maximum: PULL_BYTES_MAX, default: PULL_BYTES_DEFAULT, description: 'Bytes that one sync fetches' })
  @IsOptional()
  @IsInt()
  @Min(1)
  @Max(PULL_BYTES_MAX)
  maxBytes: number = PULL_BYTES_DEFAULT;
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
    description:
      "A folder below the tenant's part of the mirror root; for a registry its host and a path that ends with the tenant, or any path to pull from",
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

  @ApiPropertyOptional({ type: PullPolicyInput, description: 'What is brought in from a registry; absent: the selection is copied there' })
  @IsOptional()
  @ValidateNested()
  @Type(() => PullPolicyInput)
  pull?: PullPolicyInput;
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
  @ApiPropertyOptional({ description: 'Of what was not brought in' }) reason?: string;
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
  @ApiPropertyOptional({ type: PullPolicyInput, description: 'What it brings in; absent: it copies to its location' })
  pull?: PullPolicyInput;
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
