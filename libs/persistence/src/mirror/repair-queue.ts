import { MIRROR_CONSUMER } from '@packs/contracts';
import type { Digest } from '@packs/domain';
import { LeaseLost, RepairQueue, type HeldRepair } from '@packs/ports';
import type { DataSource } from 'typeorm';
import { PostgresInbox } from '../inbox';
import { inTransaction, type SqlValue } from '../transaction';

interface RepairRow {
  tenant: string;
  digest: Digest;
  size: string;
  attempts: number;
}

export class PostgresRepairQueue extends RepairQueue {
  constructor(private readonly dataSource: DataSource) {
    super();
  }

  ask(eventId: string, { tenant, digest, size }: { tenant: string; digest: Digest; size: number }): Promise<boolean> {
    return inTransaction(this.dataSource, tenant, async sql => {
      if (!(await new PostgresInbox(sql, 'mirror').register(MIRROR_CONSUMER.name, eventId))) return false;
      await sql.query(
        `insert into mirror.repairs (tenant, digest, size) values ($1, $2, $3)
         on conflict (tenant, digest) do update set size = excluded.size, state = 'queued', attempts = 0, error_code = null, asked_at = now(),
           finished_at = null, lease_owner = null, lease_until = null`,
        [tenant, digest, size],
      );
      return true;
    });
  }

  async claim(owner: string, leaseMs: number): Promise<HeldRepair | undefined> {
    const [row] = await inTransaction(this.dataSource, null, sql =>
      sql.query<RepairRow>(
        `update mirror.repairs set state = 'running', attempts = attempts + 1, lease_owner = $1, lease_until = now() + $2 * interval '1 ms'
         where (tenant, digest) = (
           select r.tenant, r.digest from mirror.repairs r
           where r.state in ('queued', 'running') and (r.lease_until is null or r.lease_until <= now())
           order by r.asked_at limit 1 for update skip locked)
         returning tenant, digest, size, attempts`,
        [owner, leaseMs],
      ),
    );
    if (!row) return undefined;
    const { tenant, digest, size, attempts } = row;
    return { id: `${tenant}/${digest}`, owner, tenant, digest, size: Number(size), attempt: attempts };
  }

  renew(repair: HeldRepair, leaseMs: number): Promise<void> {
    return this.change(repair, `lease_until = now() + $4 * interval '1 ms'`, [leaseMs]);
  }

  async isWanted({ digest }: HeldRepair): Promise<boolean> {
    const rows = await inTransaction(this.dataSource, null, sql =>
      sql.query('select 1 from content.blobs b where b.digest = $1 and b.quarantined_at is not null', [digest]),
    );
    return rows.length > 0;
  }

  finish(repair: HeldRepair, code?: string): Promise<void> {
    return this.change(repair, `state = $4, error_code = $5, finished_at = now(), lease_owner = null, lease_until = null`, [
      code === undefined ? 'done' : 'failed',
      code ?? null,
    ]);
  }

  retryLater(repair: HeldRepair, code: string, delayMs: number): Promise<void> {
    return this.change(repair, `state = 'queued', error_code = $4, lease_owner = null, lease_until = now() + $5 * interval '1 ms'`, [
      code,
      delayMs,
    ]);
  }

  private async change(repair: HeldRepair, set: string, values: readonly SqlValue[]): Promise<void> {
    const { tenant, digest, owner } = repair;
    const changed = await inTransaction(this.dataSource, tenant, sql =>
      sql.query(`update mirror.repairs set ${set} where tenant = $1 and digest = $2 and lease_owner = $3 returning 1`, [
        ...[tenant, digest, owner],
        ...values,
      ]),
    );
    if (changed.length === 0) throw new LeaseLost(repair);
  }
}
