import { ApiProperty, ApiPropertyOptional } from '@nestjs/swagger';
import { ATTESTATION_MEDIA_TYPES, ATTESTATION_STATES, type AttestationMediaType, type AttestationState } from '@packs/domain';
import { Transform } from 'class-transformer';
import { IsBoolean, IsIn, IsOptional, IsString, Length, Matches } from 'class-validator';
import { NamespaceQuery, toBoolean } from './parameters';

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

  @ApiPropertyOptional({ type: Boolean, description: 'Keep it as `provisional` when trust in its signers is all that it lacks' })
  @IsOptional()
  @Transform(toBoolean)
  @IsBoolean()
  provisional?: boolean;
}

export class AttestationListQuery extends NamespaceQuery {
  @ApiPropertyOptional({ enum: [...ATTESTATION_STATES, 'all'], description: 'Absent: `verified`' })
  @IsOptional()
  @IsIn([...ATTESTATION_STATES, 'all'])
  state?: AttestationState | 'all';
}

/** What an approver says of an attestation. */
export class AttestationDecision {
  @ApiProperty({
    enum: ['contested', 'upheld'],
    description: '`contested`: it is not to be relied on; `upheld`: it is judged as any other again',
  })
  @IsIn(['contested', 'upheld'])
  decision!: 'contested' | 'upheld';

  @ApiProperty({ minLength: 1, maxLength: 512 })
  @IsString()
  @Length(1, 512)
  @Matches(/^[^\x00-\x1f\x7f]*$/)
  reason!: string;
}

export class SignerView {
  @ApiProperty({ description: 'The trusted key, as named when it was verified' }) name!: string;
  @ApiProperty({ description: 'SHA-256 of the SubjectPublicKeyInfo' }) keyId!: string;
  @ApiProperty() scheme!: string;
}

/** One statement about a version. */
export class AttestationView {
  @ApiProperty({ ...DIGEST, description: 'Of the document' }) digest!: string;
  @ApiProperty({ enum: ATTESTATION_MEDIA_TYPES }) mediaType!: AttestationMediaType;
  @ApiProperty({ description: 'Bytes of the document' }) size!: number;
  @ApiProperty({ description: 'What is attested, such as https://slsa.dev/provenance/v1' }) predicateType!: string;
  @ApiProperty({ enum: ATTESTATION_STATES, description: 'Under the trust of now' }) state!: AttestationState;
  @ApiProperty({ type: String, nullable: true, description: 'Why it is not verified: a reason code, or the words of who contests it' })
  stateReason!: string | null;
  @ApiProperty({
    ...DIGEST,
    type: String,
    nullable: true,
    description: "The OCI manifest that carries it as a referrer of the version's; null while nobody who was trusted had signed it",
  })
  manifestDigest!: string | null;
  @ApiProperty({ type: [SignerView] }) signers!: SignerView[];
  @ApiProperty({ ...DIGEST, description: 'Hash of the verdict it was taken by' }) verdict!: string;
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

/** One change of what an attestation counts for. */
export class AttestationStateView {
  @ApiProperty() seq!: number;
  @ApiProperty({ enum: ATTESTATION_STATES }) state!: AttestationState;
  @ApiProperty({ type: String, nullable: true }) reason!: string | null;
  @ApiProperty({ ...DIGEST, type: String, nullable: true, description: 'Null where a person decided' }) verdict!: string | null;
  @ApiProperty({ type: Number, nullable: true, description: 'The trust epoch of that verdict' }) trustEpoch!: number | null;
  @ApiProperty({ format: 'date-time' }) changedAt!: string;
  @ApiProperty() changedBy!: string;
}

export class AttestationHistory {
  @ApiProperty(DIGEST) digest!: string;
  @ApiProperty({ enum: ATTESTATION_STATES, description: 'Under the trust of now' }) state!: AttestationState;
  @ApiProperty({ type: [AttestationStateView], description: 'Recorded changes, oldest first' }) history!: AttestationStateView[];
}

/** Where an attestation is, for everybody who may see the version. */
export function attestationUri(tenant: string, packId: string, version: string, digest: string): string {
  return `/api/packs/${packId}/versions/${encodeURIComponent(version)}/attestations/${digest}?namespace=${tenant}`;
}
