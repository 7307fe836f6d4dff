import { ApiProperty, ApiPropertyOptional } from '@nestjs/swagger';
import { CHANNEL_MAX, NAME_PATTERN } from '@packs/domain';
import { Type } from 'class-transformer';
import { IsIn, IsInt, IsOptional, IsString, Matches, Max, MaxLength, Min } from 'class-validator';

const NAME = new RegExp(NAME_PATTERN);
const DIGEST = { pattern: '^sha256:[0-9a-f]{64}$', example: `sha256:${'0'.repeat(64)}` };
const PAGE_MAX = 200;

export class ChannelInput {
  @ApiPropertyOptional({ maxLength: 1024, default: '', description: 'What it is for' })
  @IsOptional()
  @IsString()
  @MaxLength(1024)
  description: string = '';
}

export class ChannelView {
  @ApiProperty() name!: string;
  @ApiProperty() description!: string;
  @ApiProperty({ description: 'Every tenant has it, and nobody can change it' }) builtIn!: boolean;
  @ApiProperty({ type: String, format: 'date-time', nullable: true }) createdAt!: string | null;
  @ApiProperty({ type: String, nullable: true }) createdBy!: string | null;
}

export class ChannelList {
  @ApiProperty({ type: [ChannelView] }) channels!: ChannelView[];
}

export class ChannelHeadView {
  @ApiProperty() channel!: string;
  @ApiProperty() version!: string;
  @ApiProperty({ format: 'date-time' }) movedAt!: string;
  @ApiProperty() movedBy!: string;
}

const MOVE_REASONS = ['publish', 'promotion'] as const;
export type MoveReason = (typeof MOVE_REASONS)[number];

export class ChannelMoveView {
  @ApiProperty({ description: 'Order over all channels of the pack, without gaps' }) seq!: number;
  @ApiProperty() channel!: string;
  @ApiProperty({ type: String, nullable: true }) fromVersion!: string | null;
  @ApiProperty() toVersion!: string;
  @ApiProperty({ format: 'date-time' }) movedAt!: string;
  @ApiProperty() movedBy!: string;
  @ApiProperty({ enum: MOVE_REASONS }) reason!: MoveReason;
  @ApiProperty({ ...DIGEST, description: 'Hash of the verdict that let it into the channel' }) verdict!: string;
}

export class PackChannels {
  @ApiProperty({ type: [ChannelHeadView] }) channels!: ChannelHeadView[];
  @ApiProperty({ type: [ChannelMoveView], description: "Newest first; empty in another tenant's namespace" }) moves!: ChannelMoveView[];
  @ApiProperty({ type: String, nullable: true, description: 'The cursor of the moves before these' }) next!: string | null;
}

export class PackChannelsQuery {
  @ApiPropertyOptional({ description: 'Moves in the answer at the most', minimum: 1, maximum: PAGE_MAX, default: 50 })
  @IsOptional()
  @Type(() => Number)
  @IsInt()
  @Min(1)
  @Max(PAGE_MAX)
  limit: number = 50;

  @ApiPropertyOptional({ description: 'The `next` of the page before', pattern: '^[1-9][0-9]{0,14}$' })
  @IsOptional()
  @Matches(/^[1-9][0-9]{0,14}$/)
  cursor?: string;

  @ApiPropertyOptional({ description: 'Only this channel', pattern: NAME_PATTERN })
  @IsOptional()
  @Matches(NAME)
  @MaxLength(CHANNEL_MAX)
  channel?: string;

  @ApiPropertyOptional({ description: "Another tenant's namespace; absent: the caller's own", pattern: NAME_PATTERN })
  @IsOptional()
  @Matches(NAME)
  @MaxLength(64)
  namespace?: string;
}

export class PromoteInput {
  @ApiProperty({ description: 'A published version' })
  @IsString()
  @MaxLength(128)
  version!: string;

  @ApiProperty({ pattern: NAME_PATTERN, maxLength: CHANNEL_MAX, description: 'The channel to point at it' })
  @Matches(NAME)
  @MaxLength(CHANNEL_MAX)
  channel!: string;

  @ApiPropertyOptional({ pattern: NAME_PATTERN, maxLength: CHANNEL_MAX, description: 'A channel that has to point at the version now' })
  @IsOptional()
  @Matches(NAME)
  @MaxLength(CHANNEL_MAX)
  from?: string;
}

export class PromoteAnswer {
  @ApiProperty() packId!: string;
  @ApiProperty() version!: string;
  @ApiProperty() tenant!: string;
  @ApiProperty() channel!: string;
  @ApiProperty({ type: String, nullable: true, description: 'What the channel pointed at before' }) previousVersion!: string | null;
  @ApiProperty(DIGEST) digest!: string;
  @ApiProperty(DIGEST) manifestDigest!: string;
  @ApiProperty({ ...DIGEST, description: "Hash of the verdict by the channel's policy" }) verdict!: string;
  @ApiProperty({ format: 'date-time' }) promotedAt!: string;
  @ApiProperty({ description: 'false: the channel pointed at it before' }) changed!: boolean;
}

export class LifecycleInput {
  @ApiProperty({ enum: ['deprecated', 'archived'], description: 'A version only goes forward: active, deprecated, archived' })
  @IsIn(['deprecated', 'archived'])
  state!: 'deprecated' | 'archived';

  @ApiPropertyOptional({ description: 'Why, for people', maxLength: 1024 })
  @IsOptional()
  @IsString()
  @MaxLength(1024)
  reason?: string;

  @ApiPropertyOptional({ description: 'What to use instead, as `packId` or `packId@version`', maxLength: 300 })
  @IsOptional()
  @IsString()
  @MaxLength(300)
  replacement?: string;
}
