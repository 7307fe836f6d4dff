import { ApiProperty } from '@nestjs/swagger';

export class DeadLetterView {
  @ApiProperty() id!: string;
  @ApiProperty() consumer!: string;
  @ApiProperty() subject!: string;
  @ApiProperty({ type: String, nullable: true }) eventId!: string | null;
  @ApiProperty() reason!: string;
  @ApiProperty() attempts!: number;
  @ApiProperty({ format: 'date-time' }) deadAt!: string;
  @ApiProperty({ type: String, nullable: true }) replayedAt!: string | null;
}

export class DeadLetterList {
  @ApiProperty({ type: [DeadLetterView] }) deadLetters!: DeadLetterView[];
  @ApiProperty({ type: String, nullable: true }) next!: string | null;
}
