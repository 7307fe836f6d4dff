import { UsedProofs } from '@packs/ports';
import type { DataSource } from 'typeorm';
import { callEach } from '../transaction';

/** Longer than any proof is accepted, whatever the clocks of two replicas say. */
const KEPT = '10 minutes';

export class PostgresUsedProofs extends UsedProofs {
  constructor(private readonly dataSource: DataSource) {
    super();
  }

  /** One who uses the same proof at the same time waits for the other, and then conflicts. */
  async use(id: string): Promise<boolean> {
    const added = await callEach(
      this.dataSource,
      `insert into gateway.dpop_proofs (id) values ($1) on conflict (id) do nothing returning 1`,
      [id],
    );
    return added.length > 0;
  }

  async sweep(): Promise<number> {
    const gone = await callEach(
      this.dataSource,
      `delete from gateway.dpop_proofs where used_at < now() - interval '${KEPT}' returning 1`,
      [],
    );
    return gone.length;
  }
}
