import type { MirrorParity, ParityCheck, ParityDepth, ParityRow, ParityState } from '@packs/contracts';
import { DomainError } from '@packs/domain';
import { ParityReadModel } from '@packs/ports';
import type { DataSource } from 'typeorm';
import { CHECK_COLUMNS, toCounts, toError, toParityCheck, type CheckRow, type CountRow } from '../parity/parity-rows';
import { readAs } from '../transaction';

interface MirrorRow {
  id: string;
  name: string;
  seq: string;
  synced_at: Date | null;
  in_step: boolean | null;
  depth: ParityDepth | null;
  checked_at: Date | null;
  comparison_id: string | null;
  pending_since: Date | null;
  error_code: string | null;
  error_message: string | null;
  counts: CountRow[] | null;
}

interface MatrixRow {
  mirror_id: string;
  pack_id: string;
  version: string;
  path: string;
  stray: string;
  state: ParityState;
  checked_at: Date;
  comparison_id: string | null;
  changed_at: Date | null;
}

export class PostgresParityReadModel extends ParityReadModel {
  constructor(private readonly dataSource: DataSource) {
    super();
  }

  async mirrors(tenant: string, mirrorId: string | null): Promise<MirrorParity[]> {
    const rows = await readAs(this.dataSource, tenant, sql =>
      sql.query<MirrorRow>(
        `select mirror.id, mirror.name, mirror.seq, mirror.synced_at, known.in_step, known.depth, known.checked_at, known.comparison_id,
           known.pending_since, known.error_code, known.error_message,
           (select json_agg(json_build_object('state', one.state, 'n', one.n)) from (
              select state, count(*) as n from parity.parity_matrix row where row.mirror_id = mirror.id group by state) one) as counts
         from mirror.mirrors mirror left join parity.mirrors known on known.mirror_id = mirror.id
         where mirror.tenant = $1 and mirror.pull is null and ($2::text is null or mirror.id = $2) order by mirror.name`,
        [tenant, mirrorId],
      ),
    );
    return rows.map(row => ({
      mirrorId: row.id,
      name: row.name,
      inStep: row.in_step === true && row.pending_since === null,
      counts: toCounts(row.counts ?? []),
      checkedAt: row.checked_at?.toISOString() ?? null,
      depth: row.depth,
      comparisonId: row.comparison_id,
      pendingSince: row.pending_since?.toISOString() ?? null,
      lastSync: { seq: Number(row.seq), at: row.synced_at?.toISOString() ?? null },
      error: toError(row),
    }));
  }

  async rows(
    tenant: string,
    { mirrorId, state, after, limit }: Parameters<ParityReadModel['rows']>[1],
  ): ReturnType<ParityReadModel['rows']> {
    const [afterMirror = null, afterPack = null, afterVersion = null, afterStray = null] = after === null ? [] : decodeCursor(after);
    const rows = await readAs(this.dataSource, tenant, sql =>
      sql.query<MatrixRow>(
        `select row.mirror_id, row.pack_id, row.version, row.path, row.stray, row.state, row.checked_at, row.comparison_id, row.changed_at
         from parity.parity_matrix row
         where row.tenant = $1 and exists (select 1 from mirror.mirrors mirror where mirror.id = row.mirror_id and mirror.pull is null)
           and ($2::text is null or row.mirror_id = $2) and ($3::text is null or row.state = $3)
           and ($4::text is null or (row.mirror_id, row.pack_id, row.version, row.stray) > ($4, $5, $6, $7))
         order by row.mirror_id, row.pack_id, row.version, row.stray limit $8`,
        [tenant, mirrorId, state, afterMirror, afterPack, afterVersion, afterStray, limit + 1],
      ),
    );
    const last = rows.length > limit ? rows[limit - 1] : undefined;
    return { rows: rows.slice(0, limit).map(toParityRow), next: last ? encodeCursor(last) : null };
  }

  async check(tenant: string, id: string): Promise<ParityCheck | undefined> {
    const [row] = await readAs(this.dataSource, tenant, sql =>
      sql.query<CheckRow>(`select ${CHECK_COLUMNS} from parity.comparisons where tenant = $1 and id = $2`, [tenant, id]),
    );
    return row && toParityCheck(row);
  }
}

function toParityRow(row: MatrixRow): ParityRow {
  return {
    mirrorId: row.mirror_id,
    packId: row.pack_id || null,
    version: row.version || null,
    path: row.path || null,
    state: row.state,
    pending: row.changed_at !== null,
    checkedAt: row.checked_at.toISOString(),
    comparisonId: row.comparison_id,
  };
}

function encodeCursor({ mirror_id: mirrorId, pack_id: packId, version, stray }: MatrixRow): string {
  return Buffer.from(JSON.stringify([mirrorId, packId, version, stray])).toString('base64url');
}

function decodeCursor(cursor: string): string[] {
  try {
    const parsed: unknown = JSON.parse(Buffer.from(cursor, 'base64url').toString('utf8'));
    if (Array.isArray(parsed) && parsed.length === 4 && parsed.every(part => typeof part === 'string')) return parsed;
  } catch {
    // Refused below, as any other text that is no cursor.
  }
  throw new DomainError('ERR_PACK_REQUEST_INVALID', 'the cursor is not one that was handed out', {
    errors: [{ field: 'cursor', message: 'is not the `next` of a page' }],
  });
}
