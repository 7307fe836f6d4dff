import type { AttestationMediaType, Digest, SigningPolicy } from '@packs/domain';
import {
  AttestationStates,
  type AnsweredVerdict,
  type AssessmentDue,
  type AttestationName,
  type ProvisionalAttestation,
  type StandingAttestation,
  type StateChange,
} from '@packs/ports';
import type { Sql } from '../transaction';
import { ATTESTATION_COLUMNS, toRecorded, type AttestationRow } from './attestation-rows';
import { PostgresPackStore } from './pack-store';

type StandingRow = AttestationRow & { object_key: string; assessed_epoch: string; policy: SigningPolicy | null };

interface ProvisionalRow {
  media_type: AttestationMediaType;
  size: string;
  object_key: string;
  predicate_type: string;
  reason: string | null;
  verdict_hash: Digest;
  added_at: Date;
  added_by: string;
  source: string | null;
}

const NAMED = `a.tenant = $1 and a.pack_id = $2 and a.version = $3 and a.digest = $4`;

export class PostgresAttestationStates extends AttestationStates {
  constructor(private readonly sql: Sql) {
    super();
  }

  async standing(name: AttestationName): Promise<StandingAttestation | undefined> {
    const [row] = await this.sql.query<StandingRow>(
      `select ${ATTESTATION_COLUMNS}, b.object_key, coalesce(a.assessed_epoch, a.trust_epoch) as assessed_epoch, p.document as policy
       from registry.pack_provenance a join content.blobs b on b.digest = a.digest
       left join registry.policies p on p.tenant = a.tenant and p.name = a.policy_name and p.version = a.policy_version
       where ${NAMED}`,
      keyOf(name),
    );
    if (!row) return undefined;
    const recorded = toRecorded(row);
    const { digest, size, mediaType } = recorded;
    const document = { digest, size, mediaType, objectKey: row.object_key };
    return { recorded, document, policy: row.policy, assessedEpoch: Number(row.assessed_epoch) };
  }

  async change(name: AttestationName, change: StateChange): Promise<number> {
    const { judged } = change;
    if (judged) await new PostgresPackStore(this.sql).addVerdict(name.tenant, judged.verdict, judged.hash, judged.question);
    await this.sql.query(
      `update registry.pack_provenance a set state = $5, state_reason = case when $5 = 'verified' then null else $6 end, assessed_epoch = coalesce($7, assessed_epoch) where ${NAMED}`,
      [...keyOf(name), change.state, change.reason, change.judged?.verdict.trust.epoch ?? null],
    );
    const [row] = await this.sql.query<{ seq: number }>(INSERT_STATE, valuesOf(name, change));
    return row?.seq ?? 0;
  }

  async assessed(name: AttestationName, epoch: number): Promise<void> {
    await this.sql.query(`update registry.pack_provenance a set assessed_epoch = $5 where ${NAMED}`, [...keyOf(name), epoch]);
  }

  async provisional(name: AttestationName): Promise<ProvisionalAttestation | undefined> {
    const [row] = await this.sql.query<ProvisionalRow>(
      `select a.media_type, b.size, b.object_key, a.predicate_type, a.reason, a.verdict_hash, a.added_at, a.added_by, a.source
       from registry.provisional_attestations a join content.blobs b on b.digest = a.digest where ${NAMED}`,
      keyOf(name),
    );
    return row && toProvisional(name, row);
  }

  async keep(kept: ProvisionalAttestation, { verdict, question }: Omit<AnsweredVerdict, 'hash'>, basis: Digest): Promise<boolean> {
    await new PostgresPackStore(this.sql).addVerdict(kept.tenant, verdict, kept.verdictHash, question);
    const [row] = await this.sql.query<{ is_new: boolean }>(
      `insert into registry.provisional_attestations (tenant, pack_id, version, digest, media_type, predicate_type, reason, verdict_hash, basis,
         added_at, added_by, source)
       values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12)
       on conflict (tenant, pack_id, version, digest) do update
         set reason = excluded.reason, verdict_hash = excluded.verdict_hash, basis = excluded.basis
       returning xmax = 0 as is_new`,
      [
        ...keyOf(kept),
        kept.document.mediaType,
        kept.predicateType,
        kept.reason,
        kept.verdictHash,
        basis,
        kept.addedAt,
        kept.addedBy,
        kept.source,
      ],
    );
    if (!row?.is_new) return false;
    const { reason, verdictHash: hash, addedAt: at, addedBy: by } = kept;
    sendState(this.sql, kept, { state: 'provisional', reason, judged: { verdict, hash, question }, at, by });
    return true;
  }

  async forget(name: AttestationName): Promise<void> {
    this.sql.send(`delete from registry.provisional_attestations a where ${NAMED}`, keyOf(name));
  }

  due(limit: number): Promise<readonly AssessmentDue[]> {
    return this.sql.query(`select tenant, changes from registry.assessments_due order by tenant limit $1`, [limit]);
  }

  stale(tenant: string, epoch: number, basis: Digest, limit: number): Promise<readonly (AttestationName & { recorded: boolean })[]> {
    return this.sql.query(
      `(select tenant, pack_id as "packId", version, digest, true as recorded from registry.pack_provenance
        where tenant = $1 and coalesce(assessed_epoch, trust_epoch) < $2 limit $4)
       union all
       (select tenant, pack_id, version, digest, false from registry.provisional_attestations where tenant = $1 and basis <> $3 limit $4)`,
      [tenant, epoch, basis, limit],
    );
  }

  async settle({ tenant, changes }: AssessmentDue): Promise<void> {
    await this.sql.query(`delete from registry.assessments_due where tenant = $1 and changes = $2`, [tenant, changes]);
  }
}

/** A change with the next number: the pack is locked, so that no other takes it. */
const INSERT_STATE = `
  insert into registry.attestation_states (tenant, pack_id, version, digest, seq, state, reason, verdict_hash, trust_epoch, changed_at, changed_by)
  select $1, $2, $3, $4, coalesce(max(seq), 0) + 1, $5, $6, $7, $8, $9, $10 from registry.attestation_states a where ${NAMED}
  returning seq`;

/** Writes the first state of a statement, or what follows a provisional one, with the statements that are under way. */
export function sendState(sql: Sql, name: AttestationName, change: StateChange): void {
  sql.send(INSERT_STATE, valuesOf(name, change));
}

function valuesOf(name: AttestationName, { state, reason, judged, at, by }: StateChange) {
  return [...keyOf(name), state, reason, judged?.hash ?? null, judged?.verdict.trust.epoch ?? null, at, by];
}

function keyOf({ tenant, packId, version, digest }: AttestationName): [string, string, string, Digest] {
  return [tenant, packId, version, digest];
}

function toProvisional({ tenant, packId, version, digest }: AttestationName, row: ProvisionalRow): ProvisionalAttestation {
  return {
    ...{ tenant, packId, version, digest },
    document: { digest, size: Number(row.size), objectKey: row.object_key, mediaType: row.media_type },
    predicateType: row.predicate_type,
    reason: row.reason,
    verdictHash: row.verdict_hash,
    addedAt: row.added_at.toISOString(),
    addedBy: row.added_by,
    source: row.source,
  };
}
