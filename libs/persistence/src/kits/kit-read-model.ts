import type {
  ExportRequest,
  ExportResult,
  ExportView,
  ImportReport,
  ImportRequest,
  ImportResult,
  ImportView,
  KitJobError,
  KitJobState,
} from '@packs/contracts';
import { KitReadModel, type BlobRef, type StoredBlob } from '@packs/ports';
import type { DataSource } from 'typeorm';
import { BLOB_COLUMNS, toStoredBlob, type BlobRow } from '../content-catalog';
import { readAs } from '../transaction';
import { selectExporters } from './kit-records';

interface JobRow {
  id: string;
  state: KitJobState;
  requested_by: string;
  request: unknown;
  generation: string | null;
  report: ImportReport | null;
  result: unknown;
  error: KitJobError | null;
  done_bytes: string;
  total_bytes: string;
  attempts: number;
  created_at: Date;
  started_at: Date | null;
  finished_at: Date | null;
}

export class PostgresKitReadModel extends KitReadModel {
  constructor(private readonly dataSource: DataSource) {
    super();
  }

  async findExport(tenant: string, id: string): Promise<ExportView | undefined> {
    const row = await this.job(tenant, 'export', id);
    if (!row) return undefined;
    const { selection } = row.request as ExportRequest;
    return {
      ...commonOf(row),
      selection,
      generation: row.generation === null ? null : Number(row.generation),
      kit: row.result as ExportResult | null,
    };
  }

  async findImport(tenant: string, id: string): Promise<ImportView | undefined> {
    const row = await this.job(tenant, 'import', id);
    if (!row) return undefined;
    const { kit, preflight, acceptTrust } = row.request as ImportRequest;
    const result = row.result as ImportResult | null;
    return { ...commonOf(row), digest: kit.digest, size: kit.size, preflight, acceptTrust, report: row.report, result };
  }

  async exported(tenant: string, id: string): Promise<{ kit: StoredBlob; signature: StoredBlob; generation: number } | undefined> {
    const rows = await readAs(this.dataSource, tenant, sql =>
      sql.query<BlobRow & { generation: string; is_kit: boolean }>(
        `select ${BLOB_COLUMNS}, j.generation, b.digest = j.kit_digest as is_kit
         from mirror.kit_jobs j join content.blobs b on b.digest in (j.kit_digest, j.signature_digest)
         where j.tenant = $1 and j.id = $2 and j.kind = 'export' and j.state = 'succeeded'`,
        [tenant, id],
      ),
    );
    const [kit, signature] = [rows.find(row => row.is_kit), rows.find(row => !row.is_kit)];
    return kit && signature && { kit: toStoredBlob(kit), signature: toStoredBlob(signature), generation: Number(kit.generation) };
  }

  exporters(tenant: string): Promise<BlobRef | null> {
    return readAs(this.dataSource, tenant, sql => selectExporters(sql, tenant));
  }

  private async job(tenant: string, kind: 'export' | 'import', id: string): Promise<JobRow | undefined> {
    const [row] = await readAs(this.dataSource, tenant, sql =>
      sql.query<JobRow>(
        `select id, state, requested_by, request, generation, report, result, error, done_bytes, total_bytes, attempts, created_at, started_at, finished_at
         from mirror.kit_jobs where tenant = $1 and kind = $2 and id = $3`,
        [tenant, kind, id],
      ),
    );
    return row;
  }
}

function commonOf(row: JobRow) {
  return {
    id: row.id,
    state: row.state,
    requestedBy: row.requested_by,
    createdAt: row.created_at.toISOString(),
    startedAt: row.started_at?.toISOString() ?? null,
    finishedAt: row.finished_at?.toISOString() ?? null,
    attempts: row.attempts,
    progress: { bytes: Number(row.done_bytes), totalBytes: Number(row.total_bytes) },
    error: row.error,
  };
}
