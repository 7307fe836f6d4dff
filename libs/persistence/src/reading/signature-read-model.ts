import type { SignatureRotationView } from '@packs/contracts';
import type { Digest } from '@packs/domain';
import { SignatureReadModel, type Viewpoint } from '@packs/ports';
import type { DataSource } from 'typeorm';
import { readAs } from '../transaction';

const MOST = 200;

interface RotationRow {
  seq: number;
  rotated_at: Date;
  rotated_by: string;
  reason: string | null;
  added: Digest[];
  verdict_hash: Digest;
  replaced: SignatureRotationView['replaced'] | null;
}

const SELECT_ROTATIONS = `
select o.seq, o.rotated_at, o.rotated_by, o.reason, o.added, o.verdict_hash,
  (select json_agg(json_build_object('digest', r.digest, 'mediaType', r.media_type, 'referrer', r.manifest_digest, 'keyName', r.key_name,
     'keyId', r.key_id, 'addedAt', to_char(r.added_at at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"')) order by r.digest)
   from registry.retired_signatures r
   where r.tenant = o.tenant and r.pack_id = o.pack_id and r.version = o.version and r.retired_by = o.seq) as replaced
from registry.signature_rotations o where o.tenant = $1 and o.pack_id = $2 and o.version = $3 order by o.seq desc limit ${MOST}`;

export class PostgresSignatureReadModel extends SignatureReadModel {
  constructor(private readonly dataSource: DataSource) {
    super();
  }

  history({ tenant, namespace }: Viewpoint, packId: string, version: string): Promise<SignatureRotationView[] | undefined> {
    return readAs(this.dataSource, tenant, async sql => {
      const at = [namespace, packId, version];
      const rows = await sql.query<RotationRow>(SELECT_ROTATIONS, at);
      if (rows.length > 0) return rows.map(toView);
      const found = await sql.query(`select 1 from registry.pack_versions v where v.tenant = $1 and v.pack_id = $2 and v.version = $3`, at);
      return found.length > 0 ? [] : undefined;
    });
  }
}

function toView(row: RotationRow): SignatureRotationView {
  return {
    rotation: row.seq,
    at: row.rotated_at.toISOString(),
    by: row.rotated_by,
    reason: row.reason,
    added: row.added,
    replaced: row.replaced ?? [],
    verdict: row.verdict_hash,
  };
}
