import type { Digest } from '@packs/domain';
import { ScanReportReadModel, type StoredBlob } from '@packs/ports';
import type { DataSource } from 'typeorm';
import { BLOB_COLUMNS, toStoredBlob, type BlobRow } from '../content-catalog';
import { readAs } from '../transaction';

export class PostgresScanReportReadModel extends ScanReportReadModel {
  constructor(private readonly dataSource: DataSource) {
    super();
  }

  /** Other evidence of verdicts is held in the same table, and is shown by its own doors. */
  async find(tenant: string, digest: Digest): Promise<StoredBlob | undefined> {
    const [row] = await readAs(this.dataSource, tenant, sql =>
      sql.query<BlobRow>(
        `select ${BLOB_COLUMNS} from registry.verdict_evidence e
           join registry.verdicts v on v.tenant = e.tenant and v.hash = e.verdict_hash
           join content.blobs b on b.digest = e.digest
         where e.tenant = $1 and e.digest = $2 and v.document -> 'checks' @> jsonb_build_array(jsonb_build_object('id', 'scan', 'evidence', $2::text))
         limit 1`,
        [tenant, digest],
      ),
    );
    return row && toStoredBlob(row);
  }
}
