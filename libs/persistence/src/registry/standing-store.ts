import type { Digest } from '@packs/domain';
import { StandingStore, type Standing, type VersionKey, type Withdrawal } from '@packs/ports';
import type { Sql } from '../transaction';

/** The epoch of a version that no epoch's keys accept. */
const WITHDRAWN = -1;

interface StandingRow extends WithdrawalRow {
  readonly trust_epoch: string;
  readonly standing_changes: number;
}

export class PostgresStandingStore extends StandingStore {
  constructor(private readonly sql: Sql) {
    super();
  }

  async lock({ tenant, packId, version }: VersionKey): Promise<Standing | undefined> {
    const at = [tenant, packId, version];
    // In two statements: one that waited for the lock would still read signatures as they were before it waited.
    const [[row], signatures] = await Promise.all([
      this.sql.query<StandingRow>(
        `select trust_epoch, withdrawn_at, withdrawn_epoch, withdrawal_verdict, withdrawal_reasons, standing_changes from registry.pack_versions
         where tenant = $1 and pack_id = $2 and version = $3 for no key update`,
        at,
      ),
      this.sql.query<{ digest: Digest }>(
        `select digest from registry.signatures where tenant = $1 and pack_id = $2 and version = $3 order by digest`,
        at,
      ),
    ]);
    return row && toStanding(row, signatures);
  }

  async withdraw({ tenant, packId, version }: VersionKey, { at, epoch, reasons, verdictHash }: Withdrawal): Promise<void> {
    await this.sql.query(
      `update registry.pack_versions set trust_epoch = ${WITHDRAWN}, withdrawn_at = coalesce(withdrawn_at, $4), withdrawn_epoch = $5,
         withdrawal_reasons = $6, withdrawal_verdict = $7, standing_changes = standing_changes + case when withdrawn_at is null then 1 else 0 end
       where tenant = $1 and pack_id = $2 and version = $3`,
      [tenant, packId, version, at, epoch, reasons, verdictHash],
    );
  }

  async accept({ tenant, packId, version }: VersionKey, epoch: number): Promise<void> {
    await this.sql.query(
      `update registry.pack_versions set trust_epoch = $4, withdrawn_at = null, withdrawn_epoch = null, withdrawal_reasons = null, withdrawal_verdict = null,
         standing_changes = standing_changes + case when withdrawn_at is null then 0 else 1 end
       where tenant = $1 and pack_id = $2 and version = $3`,
      [tenant, packId, version, epoch],
    );
  }
}

function toStanding(row: StandingRow, signatures: readonly { readonly digest: Digest }[]): Standing {
  const withdrawal = withdrawalOf(row);
  return {
    acceptedEpoch: withdrawal ? null : Number(row.trust_epoch),
    withdrawal,
    changes: row.standing_changes,
    signatures: signatures.map(({ digest }) => digest),
  };
}

export interface WithdrawalRow {
  readonly withdrawn_at: Date | null;
  readonly withdrawn_epoch: string | null;
  readonly withdrawal_verdict: Digest | null;
  readonly withdrawal_reasons: string[] | null;
}

/** Null: the row is not of a withdrawn version. */
export function withdrawalOf(row: WithdrawalRow): Withdrawal | null {
  const { withdrawn_at: at, withdrawn_epoch: epoch, withdrawal_verdict: verdictHash, withdrawal_reasons: reasons } = row;
  if (at === null || verdictHash === null || reasons === null) return null;
  return { at: at.toISOString(), epoch: Number(epoch), reasons, verdictHash };
}
