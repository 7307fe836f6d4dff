import type { MirrorRecord } from '@packs/contracts';
import { MirrorStore, type MirrorChange } from '@packs/ports';
import type { Sql, SqlValue } from '../transaction';
import { MIRROR_COLUMNS, toMirrorRecord, type MirrorRow } from './mirror-rows';

export class PostgresMirrorStore extends MirrorStore {
  constructor(private readonly sql: Sql) {
    super();
  }

  async lock(tenant: string): Promise<void> {
    await this.sql.query(`select pg_advisory_xact_lock(hashtext('mirror.mirrors'), hashtext($1))`, [tenant]);
  }

  async list(tenant: string): Promise<MirrorRecord[]> {
    const rows = await this.sql.query<MirrorRow>(`select ${MIRROR_COLUMNS} from mirror.mirrors where tenant = $1 order by name`, [tenant]);
    return rows.map(toMirrorRecord);
  }

  async find(tenant: string, id: string): Promise<MirrorRecord | undefined> {
    const [row] = await this.sql.query<MirrorRow>(`select ${MIRROR_COLUMNS} from mirror.mirrors where tenant = $1 and id = $2`, [
      tenant,
      id,
    ]);
    return row && toMirrorRecord(row);
  }

  async add(tenant: string, id: string, change: MirrorChange): Promise<MirrorRecord> {
    const rows = await this.sql.query<MirrorRow>(
      `insert into mirror.mirrors (tenant, id, name, kind, location, selection, interval_seconds, enabled, updated_by, updated_at, pull,
         created_by, created_at, next_run_at)
       values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $9, $10, $10::timestamptz + make_interval(secs => $7::integer)) returning ${MIRROR_COLUMNS}`,
      valuesOf(tenant, id, change),
    );
    return only(rows);
  }

  async update(tenant: string, id: string, change: MirrorChange): Promise<MirrorRecord> {
    await this.sql.query(
      `delete from mirror.copies c using mirror.mirrors m
       where c.mirror_id = m.id and m.tenant = $1 and m.id = $2 and (m.kind, m.location, m.pull is not null) <> ($3, $4, $5)`,
      [tenant, id, change.settings.kind, change.settings.location, change.settings.pull !== undefined],
    );
    const rows = await this.sql.query<MirrorRow>(
      `update mirror.mirrors set name = $3, kind = $4, location = $5, selection = $6, interval_seconds = $7, enabled = $8, updated_by = $9,
         updated_at = $10, pull = $11, next_run_at = $10::timestamptz + make_interval(secs => $7::integer)
       where tenant = $1 and id = $2 returning ${MIRROR_COLUMNS}`,
      valuesOf(tenant, id, change),
    );
    return only(rows);
  }

  async remove(tenant: string, id: string): Promise<void> {
    await this.sql.query(`delete from mirror.mirrors where tenant = $1 and id = $2`, [tenant, id]);
  }

  async demandVerify(tenant: string, id: string): Promise<void> {
    await this.sql.query(`update mirror.mirrors set needs_verify = true where tenant = $1 and id = $2`, [tenant, id]);
  }
}

function valuesOf(tenant: string, id: string, { settings, actor, at }: MirrorChange): SqlValue[] {
  const { name, kind, location, selection, intervalSeconds, enabled, pull } = settings;
  const documents = { selection: JSON.stringify(selection), pull: pull ? JSON.stringify(pull) : null };
  return [tenant, id, name, kind, location, documents.selection, intervalSeconds, enabled, actor, at, documents.pull];
}

function only(rows: readonly MirrorRow[]): MirrorRecord {
  const [row] = rows;
  if (!row) throw new Error('the mirror is not there although its row was found before');
  return toMirrorRecord(row);
}
