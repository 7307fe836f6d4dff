import { ApiProperty } from '@nestjs/swagger';
import { IsBoolean, IsString, MaxLength, MinLength } from 'class-validator';
import { SEAL_REASON_MAX } from '../seal';

export class SealInput {
  @ApiProperty({ description: 'true: seals at once; false: asks two others to approve' })
  @IsBoolean()
  sealed!: boolean;

  @ApiProperty({ minLength: 1, maxLength: SEAL_REASON_MAX, description: 'Why, for people' })
  @IsString()
  @MinLength(1)
  @MaxLength(SEAL_REASON_MAX)
  reason!: string;
}

export class UnsealApprovalView {
  @ApiProperty() by!: string;
  @ApiProperty({ format: 'date-time' }) at!: string;
}

export class UnsealRequestView {
  @ApiProperty() requestedBy!: string;
  @ApiProperty({ format: 'date-time' }) requestedAt!: string;
  @ApiProperty({ format: 'date-time', description: 'Without two approvals until then it is void' }) expiresAt!: string;
  @ApiProperty() reason!: string;
  @ApiProperty({ type: [UnsealApprovalView] }) approvals!: UnsealApprovalView[];
}

export class SealView {
  @ApiProperty() sealed!: boolean;
  @ApiProperty({ enum: ['configuration', 'api'], nullable: true, description: '`configuration`: no request can unseal it' })
  by!: 'configuration' | 'api' | null;
  @ApiProperty({ type: String, format: 'date-time', nullable: true, description: 'When it was sealed or unsealed by API last' })
  since!: string | null;
  @ApiProperty({ type: String, nullable: true, description: 'Who asked for that' }) changedBy!: string | null;
  @ApiProperty({ type: String, nullable: true }) reason!: string | null;
  @ApiProperty({ type: UnsealRequestView, nullable: true }) pendingUnseal!: UnsealRequestView | null;
}
