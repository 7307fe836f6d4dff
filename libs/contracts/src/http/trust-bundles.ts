import { ApiProperty, ApiPropertyOptional } from '@nestjs/swagger';
import { Type } from 'class-transformer';
import { ArrayMaxSize, IsArray, IsBase64, IsOptional, IsString, MaxLength, ValidateNested } from 'class-validator';

export class TrustBundleSignatureInput {
  @ApiProperty({ description: 'base64' })
  @IsBase64()
  @MaxLength(2048)
  sig!: string;

  @ApiPropertyOptional({ description: 'Not read (DSSE v1.0 leaves it unauthenticated)' })
  @IsOptional()
  @IsString()
  @MaxLength(256)
  keyid?: string;
}

/** A DSSE envelope. */
export class TrustBundleInput {
  @ApiProperty({ description: 'base64 of `{schema, tenant, version, validFrom, validUntil, root: {keys, threshold}, material}` in JSON' })
  @IsBase64()
  @MaxLength(1_400_000)
  payload!: string;

  @ApiProperty({ enum: ['application/vnd.stellaops.trust-bundle.v1+json'] })
  @IsString()
  @MaxLength(128)
  payloadType!: string;

  @ApiProperty({ type: [TrustBundleSignatureInput], maxItems: 8 })
  @IsArray()
  @ArrayMaxSize(8)
  @ValidateNested({ each: true })
  @Type(() => TrustBundleSignatureInput)
  signatures!: TrustBundleSignatureInput[];
}

class TrustBundleRootView {
  @ApiProperty({ type: [String] }) keyIds!: string[];
  @ApiProperty({ description: 'So many of them have to sign' }) threshold!: number;
}

export class TrustBundleAnswer {
  @ApiProperty() version!: number;
  @ApiProperty({ description: 'SHA-256 of the payload' }) digest!: string;
  @ApiProperty({ description: 'The trust material it brought' }) material!: string;
  @ApiProperty({ description: 'The trust epoch of the tenant' }) epoch!: number;
  @ApiProperty({ format: 'date-time' }) validFrom!: string;
  @ApiProperty({ format: 'date-time' }) validUntil!: string;
  @ApiProperty() root!: TrustBundleRootView;
  @ApiProperty({ format: 'date-time' }) importedAt!: string;
  @ApiProperty() importedBy!: string;
}
