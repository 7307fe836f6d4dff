import { ApiPropertyOptional } from '@nestjs/swagger';
import { CHANNEL_MAX, LIFECYCLES, NAME_PATTERN, PACK_TYPES, TENANT_MAX, type Lifecycle, type PackType } from '@packs/domain';
import { Transform, Type } from 'class-transformer';
import { IsBoolean, IsIn, IsInt, IsOptional, IsString, Matches, Max, MaxLength, Min } from 'class-validator';

const NAME = new RegExp(NAME_PATTERN);
const PAGE_MAX = 200;

/** `?deprecated` without a value means true. Anything but true and false stays as it is, to be refused. */
export function toBoolean({ value }: { value: unknown }): unknown {
  return value === 'true' || value === '' ? true : value === 'false' ? false : value;
}

const LIFECYCLE_FILTERS = [...LIFECYCLES, 'all'] as const;
const LIFECYCLE_QUERY = { enum: LIFECYCLE_FILTERS, description: 'Absent: what `deprecated` says' };

class Page {
  @ApiPropertyOptional({ description: 'Rows in the answer at the most', minimum: 1, maximum: PAGE_MAX, default: 50 })
  @IsOptional()
  @Type(() => Number)
  @IsInt()
  @Min(1)
  @Max(PAGE_MAX)
  limit: number = 50;

  @ApiPropertyOptional({ description: 'The `next` of the page before' })
  @IsOptional()
  @IsString()
  @MaxLength(512)
  cursor?: string;
}

export class NamespaceQuery {
  @ApiPropertyOptional({
    description: "Another tenant's namespace; absent: the caller's own",
    pattern: NAME_PATTERN,
    maxLength: TENANT_MAX,
  })
  @IsOptional()
  @Matches(NAME)
  @MaxLength(TENANT_MAX)
  namespace?: string;
}

export class PackListQuery extends Page {
  @ApiPropertyOptional({ description: 'Part of the packId or the display name, in any case' })
  @IsOptional()
  @IsString()
  @MaxLength(200)
  name?: string;

  @ApiPropertyOptional({ description: 'Only packs with a version in this channel', pattern: NAME_PATTERN })
  @IsOptional()
  @Matches(NAME)
  @MaxLength(CHANNEL_MAX)
  channel?: string;

  @ApiPropertyOptional({ description: "The namespace to list; absent: the caller's own", pattern: NAME_PATTERN })
  @IsOptional()
  @Matches(NAME)
  @MaxLength(TENANT_MAX)
  tenant?: string;

  @ApiPropertyOptional({ description: 'The same as `tenant`', pattern: NAME_PATTERN })
  @IsOptional()
  @Matches(NAME)
  @MaxLength(TENANT_MAX)
  namespace?: string;

  @ApiPropertyOptional({ description: 'Only packs whose shown version has this tag', pattern: NAME_PATTERN })
  @IsOptional()
  @IsString()
  @MaxLength(64)
  tag?: string;

  @ApiPropertyOptional({ enum: PACK_TYPES, enumName: 'PackType' })
  @IsOptional()
  @IsIn(PACK_TYPES)
  type?: PackType;

  @ApiPropertyOptional({ description: 'true: only packs without an active version; absent: only those with one' })
  @IsOptional()
  @Transform(toBoolean)
  @IsBoolean()
  deprecated?: boolean;

  @ApiPropertyOptional(LIFECYCLE_QUERY)
  @IsOptional()
  @IsIn(LIFECYCLE_FILTERS)
  lifecycle?: Lifecycle | 'all';
}

export class VersionListQuery extends Page {
  @ApiPropertyOptional({ pattern: NAME_PATTERN })
  @IsOptional()
  @Matches(NAME)
  @MaxLength(TENANT_MAX)
  namespace?: string;

  @ApiPropertyOptional({ description: 'true: only deprecated and archived versions; absent: only active ones' })
  @IsOptional()
  @Transform(toBoolean)
  @IsBoolean()
  deprecated?: boolean;

  @ApiPropertyOptional(LIFECYCLE_QUERY)
  @IsOptional()
  @IsIn(LIFECYCLE_FILTERS)
  lifecycle?: Lifecycle | 'all';
}

export class PublishQuery {
  @ApiPropertyOptional({ description: 'The channel to publish to', default: 'edge', pattern: NAME_PATTERN })
  @IsOptional()
  @Matches(NAME)
  @MaxLength(CHANNEL_MAX)
  channel: string = 'edge';

  @ApiPropertyOptional({ description: 'The digest the bundle must have', pattern: '^sha256:[0-9a-f]{64}$' })
  @IsOptional()
  @Matches(/^sha256:[0-9a-f]{64}$/)
  digest?: string;

  @ApiPropertyOptional({ description: 'The version the bundle must hold' })
  @IsOptional()
  @IsString()
  @MaxLength(128)
  version?: string;
}

export class DeprecateQuery {
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

export class AuditListQuery {
  @ApiPropertyOptional({ description: 'Entries after this `seq`', minimum: 0, default: 0 })
  @IsOptional()
  @Type(() => Number)
  @IsInt()
  @Min(0)
  after: number = 0;

  @ApiPropertyOptional({ minimum: 1, maximum: PAGE_MAX, default: 50 })
  @IsOptional()
  @Type(() => Number)
  @IsInt()
  @Min(1)
  @Max(PAGE_MAX)
  limit: number = 50;

  @ApiPropertyOptional({ pattern: NAME_PATTERN })
  @IsOptional()
  @Matches(NAME)
  @MaxLength(128)
  packId?: string;

  @ApiPropertyOptional({ description: 'An event type, such as pack.version.published' })
  @IsOptional()
  @IsString()
  @MaxLength(64)
  type?: string;
}

export class DeadLetterListQuery extends Page {}
