import { ApiProperty, ApiPropertyOptional } from '@nestjs/swagger';
import { IsInt, IsISO8601, IsOptional, Max, Min } from 'class-validator';
import { SCRUB_NAMED, SCRUB_SAMPLE_MAX, SCRUB_STATES, type ScrubState } from '../scrub';

export class ScrubInput {
  @ApiPropertyOptional({ format: 'date-time', description: 'Blobs stored from then on; absent: all' })
  @IsOptional()
  @IsISO8601({ strict: true, strictSeparator: true })
  since?: string;

  @ApiPropertyOptional({ default: 1, minimum: 1, maximum: SCRUB_SAMPLE_MAX, description: 'Read one blob of so many, chosen by chance' })
  @IsOptional()
  @IsInt()
  @Min(1)
  @Max(SCRUB_SAMPLE_MAX)
  sample: number = 1;
}

export class ScrubView {
  @ApiProperty() id!: string;
  @ApiProperty({ enum: SCRUB_STATES }) state!: ScrubState;
  @ApiProperty() requestedBy!: string;
  @ApiProperty({ format: 'date-time' }) requestedAt!: string;
  @ApiProperty({ type: String, format: 'date-time', nullable: true }) startedAt!: string | null;
  @ApiProperty({ type: String, format: 'date-time', nullable: true }) finishedAt!: string | null;
  @ApiProperty({ type: String, format: 'date-time', nullable: true }) since!: string | null;
  @ApiProperty() sample!: number;
  @ApiProperty({ description: 'Blobs it has gone through' }) examined!: number;
  @ApiProperty() bytes!: number;
  @ApiProperty({ description: 'Blobs that are not what was proven; they are in quarantine, or were repaired at once' }) damaged!: number;
  @ApiProperty({ description: 'Blobs that could not be read again and again, and may yet be whole' }) unreadable!: number;
  @ApiProperty({ type: [String], maxItems: SCRUB_NAMED, description: 'Digests of the first of both kinds' }) digests!: string[];
}
