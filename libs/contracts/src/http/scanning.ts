import { ApiProperty, ApiPropertyOptional } from '@nestjs/swagger';
import { SCAN_MODES, SCANNERS, type ScanMode, type Scanner } from '@packs/domain';
import { IsIn, IsOptional } from 'class-validator';

const SECRETS = 'Tokens, keys and passwords in text files';
const MALWARE = 'What clamd knows';

export class ScanningInput {
  @ApiPropertyOptional({ enum: SCAN_MODES, description: `${SECRETS}. Absent: as it is` })
  @IsOptional()
  @IsIn(SCAN_MODES)
  secrets?: ScanMode;

  @ApiPropertyOptional({ enum: SCAN_MODES, description: `${MALWARE}. Absent: as it is` })
  @IsOptional()
  @IsIn(SCAN_MODES)
  malware?: ScanMode;
}

export class ScanningView {
  @ApiProperty({
    enum: SCAN_MODES,
    enumName: 'ScanMode',
    description: `${SECRETS}. on: what is found refuses the pack; required: and nothing is accepted that was not looked at`,
  })
  secrets!: ScanMode;

  @ApiProperty({ enum: SCAN_MODES, enumName: 'ScanMode', description: MALWARE })
  malware!: ScanMode;
}

export class ScanEngineView {
  @ApiProperty() name!: string;
  @ApiProperty() version!: string;
  @ApiProperty({ description: 'Of its rules or signatures' }) rules!: string;
}

export class ScanFindingView {
  @ApiProperty({ description: 'In the bundle; within an archive behind its path and a `!`' }) path!: string;
  @ApiPropertyOptional() line?: number;
  @ApiProperty() rule!: string;
}

export class UnopenedView {
  @ApiProperty() path!: string;
  @ApiProperty({ enum: ['encrypted', 'compression', 'damaged'] }) why!: string;
}

export class ScanLimitView {
  @ApiProperty() name!: string;
  @ApiProperty() path!: string;
}

export class ScanReportView {
  @ApiProperty({ enum: ['stellaops.io/scan-report.v1'] }) schema!: 'stellaops.io/scan-report.v1';
  @ApiProperty({ enum: SCANNERS }) scanner!: Scanner;
  @ApiProperty({ type: ScanEngineView }) engine!: ScanEngineView;
  @ApiProperty({ type: [ScanFindingView], description: 'Where something was found, and by which rule: never what' })
  findings!: readonly ScanFindingView[];
  @ApiPropertyOptional({ description: 'There were more findings' }) isCut?: true;
  @ApiPropertyOptional({ type: [UnopenedView], description: 'What nobody could look into' }) unopened?: readonly UnopenedView[];
  @ApiPropertyOptional({ type: ScanLimitView, description: 'What ended the scan' }) limit?: ScanLimitView;
}
