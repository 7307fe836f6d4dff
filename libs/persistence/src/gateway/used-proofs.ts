import { UsedProofs } from '@packs/ports';
import type { DataSource } from 'typeorm';
import { inTransaction } from '../transaction';

/** Longer than any proof is accepted, whatever the clocks of two replicas say. */
const KEPT = '10 minutes';
const SWEEP_EVERY_MS = 60_000;

export class PostgresUsedProofs extends UsedProofs {
  private sweptAt = Number.NEGATIVE_INFINITY;

  constructor(private readonly dataSource: DataSource) {
    super();
  }

  use(id: string): Promise<boolean> {
    return inTransaction(this.dataSource, null, async sql => {
      if (this.sweepIsDue()) await sql.query(`delete from gateway.dpop_proofs where used_at < now() - interval '${KEPT}'`);
      // One who uses the same proof at the same time waits here, and then conflicts.
      const added = await sql.query(`insert into gateway.dpop_proofs (id) values ($1) on conflict (id) do nothing returning 1`, [id]);
      return added.length > 0;
    });
  }

  private sweepIsDue(): boolean {
    const now = performance.now();
    if (now - this.sweptAt < SWEEP_EVERY_MS) return false;
    this.sweptAt = now;
    return true;
  }
}
