import { UNSEALED, type Seal, type UnsealRequest } from '@packs/domain';
import { SealReadModel, SealStore } from '@packs/ports';
import type { DataSource } from 'typeorm';
import { callAs, type Sql } from '../transaction';

interface SealRow {
  sealed: boolean;
  since: Date;
  changed_by: string;
  reason: string;
  unseal_request: UnsealRequest | null;
}

export class PostgresSealStore extends SealStore {
  constructor(private readonly sql: Sql) {
    super();
  }

  async hold(): Promise<boolean> {
    const [row] = await this.sql.query<{ sealed: boolean }>(`select registry.hold_seal() as sealed`);
    return row?.sealed !== false;
  }

  async lock(tenant: string): Promise<Seal> {
    await this.sql.query(`select registry.lock_seal()`);
    return readSeal(this.sql, tenant);
  }

  async put(tenant: string, { sealed, since, changedBy, reason, pendingUnseal }: Seal): Promise<void> {
    await this.sql.query(
      `insert into registry.seals (tenant, sealed, since, changed_by, reason, unseal_request) values ($1, $2, $3, $4, $5, $6)
       on conflict (tenant) do update set sealed = excluded.sealed, since = excluded.since, changed_by = excluded.changed_by,
         reason = excluded.reason, unseal_request = excluded.unseal_request`,
      [tenant, sealed, since, changedBy, reason, pendingUnseal && JSON.stringify(pendingUnseal)],
    );
  }
}

export class PostgresSealReadModel extends SealReadModel {
  constructor(private readonly dataSource: DataSource) {
    super();
  }

  async seal(tenant: string): Promise<Seal> {
    return toSeal(await callAs<SealRow>(this.dataSource, 'select * from registry.read_seal($1)', tenant, []));
  }
}

async function readSeal(sql: Sql, tenant: string): Promise<Seal> {
  return toSeal(
    await sql.query<SealRow>(`select sealed, since, changed_by, reason, unseal_request from registry.seals where tenant = $1`, [tenant]),
  );
}

function toSeal([row]: readonly SealRow[]): Seal {
  if (!row) return UNSEALED;
  const { sealed, since, changed_by: changedBy, reason, unseal_request: pendingUnseal } = row;
  return { sealed, by: sealed ? 'api' : null, since: since.toISOString(), changedBy, reason, pendingUnseal };
}
