import { ApiProperty, ApiPropertyOptional } from '@nestjs/swagger';
import { Type } from 'class-transformer';
import { ArrayMaxSize, IsArray, IsBoolean, IsOptional, IsString, Matches, MaxLength, ValidateNested } from 'class-validator';
import { SignatureInput } from './administration';

const PATTERN = /^sha256:[0-9a-f]{64}$/;
const DIGEST = { pattern: PATTERN.source, example: `sha256:${'0'.repeat(64)}` };

export class RotateSignatureInput {
  @ApiPropertyOptional({ type: [SignatureInput], maxItems: 8, description: 'Signatures that come to those of the version; absent: none' })
  @IsOptional()
  @IsArray()
  @ArrayMaxSize(8)
  @ValidateNested({ each: true })
  @Type(() => SignatureInput)
  signatures: SignatureInput[] = [];

  @ApiPropertyOptional({
    type: [String],
    items: DIGEST,
    maxItems: 64,
    description: 'Signatures of the version that they take the place of',
  })
  @IsOptional()
  @IsArray()
  @ArrayMaxSize(64)
  @Matches(PATTERN, { each: true, message: 'must be sha256:<hex>' })
  replaces: string[] = [];

  @ApiPropertyOptional({ default: false, description: 'They take the place of all others' })
  @IsOptional()
  @IsBoolean()
  replaceAll: boolean = false;

  @ApiPropertyOptional({ maxLength: 1024 })
  @IsOptional()
  @IsString()
  @MaxLength(1024)
  reason?: string;
}

export class RotateSignatureAnswer {
  @ApiProperty() packId!: string;
  @ApiProperty() version!: string;
  @ApiProperty() tenant!: string;
  @ApiProperty({ description: 'Whether anything is different from before' }) changed!: boolean;
  @ApiProperty({ type: Number, nullable: true, description: "The rotation's number in the version's history; null when nothing changed" })
  rotation!: number | null;
  @ApiProperty({ type: [String] }) added!: string[];
  @ApiProperty({ type: [String], description: 'What counts for nothing from now on' }) replaced!: string[];
  @ApiProperty({ type: [String], description: 'All that the version has now' }) signatures!: string[];
  @ApiProperty({ ...DIGEST, type: String, nullable: true, description: 'Hash of the verdict on the version with these signatures' })
  verdict!: string | null;
  @ApiProperty({ description: 'Whether it was withdrawn and is served again' }) restored!: boolean;
}

export class RetiredSignatureView {
  @ApiProperty(DIGEST) digest!: string;
  @ApiProperty() mediaType!: string;
  @ApiProperty({ ...DIGEST, description: 'The manifest that carries it, which is read by this digest over OCI as before' })
  referrer!: string;
  @ApiProperty({ type: String, nullable: true, description: 'The trusted key that made it, as named when it was verified' })
  keyName!: string | null;
  @ApiProperty({ type: String, nullable: true }) keyId!: string | null;
  @ApiProperty({ format: 'date-time' }) addedAt!: string;
}

export class SignatureRotationView {
  @ApiProperty({ description: 'Counted from 1 for each version' }) rotation!: number;
  @ApiProperty({ format: 'date-time' }) at!: string;
  @ApiProperty() by!: string;
  @ApiProperty({ type: String, nullable: true }) reason!: string | null;
  @ApiProperty({ type: [String], description: 'Signatures that came' }) added!: string[];
  @ApiProperty({ type: [RetiredSignatureView], description: 'Signatures that went' }) replaced!: RetiredSignatureView[];
  @ApiProperty(DIGEST) verdict!: string;
}

export class SignatureHistory {
  @ApiProperty({ type: [SignatureRotationView], description: 'The newest first, at most 200' }) rotations!: SignatureRotationView[];
}

const STATES = ['queued', 'running', 'completed'] as const;
const CAUSES = ['trust', 'schedule', 'request'] as const;

/** The pass over a tenant's versions that finds which of them its keys accept. */
export class ReverificationView {
  @ApiProperty({ enum: STATES }) state!: (typeof STATES)[number];
  @ApiProperty({ enum: CAUSES, description: '`trust`: the keys were changed' }) cause!: (typeof CAUSES)[number];
  @ApiProperty({ description: 'The trust epoch when it was asked for' }) epoch!: number;
  @ApiProperty({ format: 'date-time' }) requestedAt!: string;
  @ApiProperty() requestedBy!: string;
  @ApiProperty({ type: String, format: 'date-time', nullable: true }) startedAt!: string | null;
  @ApiProperty({ type: String, format: 'date-time', nullable: true }) finishedAt!: string | null;
  @ApiProperty({ description: 'Versions it has gone through' }) examined!: number;
  @ApiProperty({ description: 'Of those, the versions that it withdrew' }) withdrawn!: number;
  @ApiProperty({ description: 'And those that are served again' }) restored!: number;
  @ApiProperty({ description: 'No verdict could be had of these: they stand as they were, and are tried again soon' }) failed!: number;
}

export class ReverificationAnswer {
  @ApiProperty({ type: ReverificationView, nullable: true, description: 'Null: there was none yet' })
  reverification!: ReverificationView | null;
}
