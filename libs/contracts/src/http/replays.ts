import { ApiProperty, ApiPropertyOptional } from '@nestjs/swagger';
import { IsBoolean, IsISO8601, IsOptional, IsString, MaxLength } from 'class-validator';

export class ReplayInput {
  @ApiProperty({ description: 'The name of a consumer, such as compliance-coverage' })
  @IsString()
  @MaxLength(64)
  consumer!: string;

  @ApiPropertyOptional({ format: 'date-time', description: 'Events from then on; absent: from the first' })
  @IsOptional()
  @IsISO8601({ strict: true, strictSeparator: true })
  since?: string;

  @ApiPropertyOptional({ default: false, description: "Empty the consumer's projection of this tenant first" })
  @IsOptional()
  @IsBoolean()
  rebuild: boolean = false;
}

export class ReplayAnswer {
  @ApiProperty() consumer!: string;
  @ApiProperty({ description: 'Events of the tenant that were read from the record' }) events!: number;
  @ApiProperty({ description: 'Those of them that had not taken effect before' }) applied!: number;
  @ApiProperty({ description: 'Those that the consumer refuses for good' }) refused!: number;
}
