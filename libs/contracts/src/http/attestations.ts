import { ApiProperty, ApiPropertyOptional } from '@nestjs/swagger';
import { ATTESTATION_MEDIA_TYPES, type AttestationMediaType } from '@packs/domain';
import { IsOptional, IsString, Matches } from 'class-validator';

const DIGEST = { pattern: '^sha256:[0-9a-f]{64}$', example: `sha256:${'0'.repeat(64)}` };

export class AttestationPath {
  @ApiProperty() @IsString() packId!: string;
  @ApiProperty() @IsString() version!: string;
  @ApiProperty(DIGEST) @IsString() digest!: string;
}

export class AttestationQuery {
  @ApiPropertyOptional({ ...DIGEST, description: 'The digest the document must have' })
  @IsOptional()
  @Matches(/^sha256:[0-9a-f]{64}$/)
  digest?: string;
}

export class SignerView {
  @ApiProperty({ description: 'The trusted key, as named when it was verified' }) name!: string;
  @ApiProperty({ description: 'SHA-256 of the SubjectPublicKeyInfo' }) keyId!: string;
  @ApiProperty() scheme!: string;
}

/** One verified statement about a version. */
export class AttestationView {
  @ApiProperty({ ...DIGEST, description: 'Of the document' }) digest!: string;
  @ApiProperty({ enum: ATTESTATION_MEDIA_TYPES }) mediaType!: AttestationMediaType;
  @ApiProperty({ description: 'Bytes of the document' }) size!: number;
  @ApiProperty({ description: 'What is attested, such as https://slsa.dev/provenance/v1' }) predicateType!: string;
  @ApiProperty({ ...DIGEST, description: "The OCI manifest that carries it as a referrer of the version's" }) manifestDigest!: string;
  @ApiProperty({ type: [SignerView] }) signers!: SignerView[];
  @ApiProperty({ ...DIGEST, description: 'Hash of the verdict that accepted it' }) verdict!: string;
  @ApiProperty({ format: 'date-time' }) addedAt!: string;
  @ApiProperty() addedBy!: string;
  @ApiProperty({ description: 'Where the document is' }) uri!: string;
}

/** A statement about a version that waits, kept to be judged with it. */
export class WaitingAttestationView {
  @ApiProperty({ enum: ['waiting'] }) state!: 'waiting';
  @ApiProperty({ ...DIGEST, description: 'Of the document' }) digest!: string;
  @ApiProperty({ enum: ATTESTATION_MEDIA_TYPES }) mediaType!: AttestationMediaType;
  @ApiProperty({ description: 'Bytes of the document' }) size!: number;
  @ApiProperty({ description: 'As the document says' }) predicateType!: string;
  @ApiProperty({ ...DIGEST, description: "The OCI manifest that carries it as a referrer of the version's" }) manifestDigest!: string;
}

export class AttestationList {
  @ApiProperty({ type: [AttestationView] }) attestations!: AttestationView[];
}

/** Where an attestation is, for everybody who may see the version. */
export function attestationUri(tenant: string, packId: string, version: string, digest: string): string {
  return `/api/packs/${packId}/versions/${encodeURIComponent(version)}/attestations/${digest}?namespace=${tenant}`;
}
