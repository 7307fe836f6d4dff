import { ApiProperty, ApiPropertyOptional } from '@nestjs/swagger';
import { Transform, Type } from 'class-transformer';
import { IsBoolean, IsInt, IsOptional, Min, ValidateNested } from 'class-validator';
import { KIT_JOB_STATES, type KitJobState } from '../kits/kit-job';
import type { Selection } from '../selection';
import { TrustKeyView } from './administration';
import { SelectionInput } from './mirrors';

const DIGEST = { type: String, pattern: '^sha256:[0-9a-f]{64}$', example: `sha256:${'0'.repeat(64)}` };
const TIME = { type: String, format: 'date-time' };
const OPEN_OBJECT = { type: 'object', additionalProperties: true } as const;

/** `?flag` without a value means true. Anything but true and false stays as it is, to be refused. */
function toBoolean({ value }: { value: unknown }): unknown {
  return value === 'true' || value === '' ? true : value === 'false' ? false : value;
}

export class ExportInput {
  @ApiPropertyOptional({ type: SelectionInput, description: 'Absent: every version of the tenant' })
  @IsOptional()
  @ValidateNested()
  @Type(() => SelectionInput)
  selection?: SelectionInput;

  @ApiPropertyOptional({ minimum: 1, description: 'The audit `seq` to make the kit as of; absent: now' })
  @IsOptional()
  @IsInt()
  @Min(1)
  seq?: number;
}

export class ImportQuery {
  @ApiPropertyOptional({ default: false, description: 'Examines the kit and reports what an import would do' })
  @IsOptional()
  @Transform(toBoolean)
  @IsBoolean()
  preflight: boolean = false;

  @ApiPropertyOptional({
    default: false,
    description: "Takes over the kit's keys, policies and allow-list in place of the tenant's own: how an empty registry gets its trust",
  })
  @IsOptional()
  @Transform(toBoolean)
  @IsBoolean()
  acceptTrust: boolean = false;
}

class KitProgress {
  @ApiProperty() bytes!: number;
  @ApiProperty() totalBytes!: number;
}

class KitJobErrorView {
  @ApiProperty({ example: 'ERR_KIT_DIGEST' }) code!: string;
  @ApiProperty() message!: string;
  @ApiProperty(OPEN_OBJECT) details!: Record<string, unknown>;
  @ApiProperty({ type: 'array', items: OPEN_OBJECT }) errors!: readonly object[];
}

class KitJobView {
  @ApiProperty() id!: string;
  @ApiProperty({ enum: KIT_JOB_STATES }) state!: KitJobState;
  @ApiProperty() requestedBy!: string;
  @ApiProperty(TIME) createdAt!: string;
  @ApiProperty({ ...TIME, nullable: true }) startedAt!: string | null;
  @ApiProperty({ ...TIME, nullable: true }) finishedAt!: string | null;
  @ApiProperty({ description: 'How often it was begun' }) attempts!: number;
  @ApiProperty({ type: KitProgress }) progress!: KitProgress;
  @ApiProperty({ type: KitJobErrorView, nullable: true, description: 'Why it failed, or what made its last attempt fail' })
  error!: KitJobErrorView | null;
}

export class ExportedKitView {
  @ApiProperty(DIGEST) digest!: string;
  @ApiProperty() size!: number;
  @ApiProperty({ ...DIGEST, description: 'Of the signature document' }) signature!: string;
  @ApiProperty() versions!: number;
  @ApiProperty({ description: 'Versions left out: their signatures did not satisfy their policy under the keys of that time' })
  withdrawn!: number;
}

export class ExportView extends KitJobView {
  @ApiProperty({ type: SelectionInput }) selection!: Selection;
  @ApiProperty({ type: Number, nullable: true, description: 'The audit `seq` the kit is made as of; null: not begun' }) generation!:
    number | null;
  @ApiProperty({ type: ExportedKitView, nullable: true }) kit!: ExportedKitView | null;
}

export class KitSourceView {
  @ApiProperty() tenant!: string;
  @ApiProperty({ ...DIGEST, description: "The exporting tenant's audit log, by its first leaf" }) log!: string;
}

export class KitExporterView {
  @ApiProperty() name!: string;
  @ApiProperty(DIGEST) keyId!: string;
}

export class KitVersionCounts {
  @ApiProperty() total!: number;
  @ApiProperty({ description: 'Not there yet' }) new!: number;
  @ApiProperty({ description: 'There with the same content' }) known!: number;
  @ApiProperty({ description: 'There with other content' }) conflicting!: number;
}

export class ConflictingVersion {
  @ApiProperty() packId!: string;
  @ApiProperty() version!: string;
}

export class ImportReportView {
  @ApiProperty() format!: string;
  @ApiProperty() generation!: number;
  @ApiProperty({ type: KitSourceView }) source!: KitSourceView;
  @ApiProperty({ type: KitExporterView }) exporter!: KitExporterView;
  @ApiProperty({ type: SelectionInput }) selection!: Selection;
  @ApiProperty({ type: KitVersionCounts }) versions!: KitVersionCounts;
  @ApiProperty({ type: [ConflictingVersion], description: 'The first of them' }) conflicting!: readonly ConflictingVersion[];
  @ApiProperty({ enum: ['import', 'unchanged', 'stale', 'conflict'], description: 'What becomes of the kit' })
  outcome!: 'import' | 'unchanged' | 'stale' | 'conflict';
  @ApiProperty({ type: Number, nullable: true, description: 'The newest generation imported from this source' }) newestImported!:
    number | null;
}

export class ImportResultView {
  @ApiProperty({ enum: ['imported', 'unchanged', 'preflight'] }) outcome!: 'imported' | 'unchanged' | 'preflight';
  @ApiProperty({ description: 'Versions that were not there before' }) added!: number;
  @ApiProperty() known!: number;
}

export class ImportView extends KitJobView {
  @ApiProperty({ ...DIGEST, description: 'Of the kit' }) digest!: string;
  @ApiProperty() size!: number;
  @ApiProperty() preflight!: boolean;
  @ApiProperty() acceptTrust!: boolean;
  @ApiProperty({ type: ImportReportView, nullable: true }) report!: ImportReportView | null;
  @ApiProperty({ type: ImportResultView, nullable: true }) result!: ImportResultView | null;
}

export class ExportersAnswer {
  @ApiProperty({ type: String, nullable: true }) digest!: string | null;
  @ApiProperty({ type: [TrustKeyView] }) keys!: TrustKeyView[];
}
