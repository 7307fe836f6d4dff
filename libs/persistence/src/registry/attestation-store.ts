import type { Descriptor, Digest } from '@packs/domain';
import { AttestationStore, type NewAttestation, type RecordedAttestation } from '@packs/ports';
import { insertBlobs } from '../content-catalog';
import type { Sql } from '../transaction';
import { ATTESTATION_COLUMNS, toRecorded, type AttestationRow } from './attestation-rows';
import { PostgresAttestationStates, sendState } from './attestation-states';
import { insertManifests } from './manifest-rows';
import { PostgresPackStore } from './pack-store';

export class PostgresAttestationStore extends AttestationStore {
  constructor(private readonly sql: Sql) {
    super();
  }

  async find(tenant: string, packId: string, version: string, digest: Digest): Promise<RecordedAttestation | undefined> {
    const [row] = await this.sql.query<AttestationRow>(
      `select ${ATTESTATION_COLUMNS}
       from registry.pack_provenance a join content.blobs b on b.digest = a.digest
       where a.tenant = $1 and a.pack_id = $2 and a.version = $3 and a.digest = $4`,
      [tenant, packId, version, digest],
    );
    return row && toRecorded(row);
  }

  async subject(tenant: string, packId: string, version: string): Promise<Descriptor | undefined> {
    const [row] = await this.sql.query<{ media_type: string; digest: Digest; size: string }>(
      `select m.media_type, m.digest, b.size from registry.pack_versions v
       join registry.manifests m on m.tenant = v.tenant and m.repository = v.pack_id and m.digest = v.manifest_digest
       join content.blobs b on b.digest = m.digest
       where v.tenant = $1 and v.pack_id = $2 and v.version = $3`,
      [tenant, packId, version],
    );
    return row && { mediaType: row.media_type, digest: row.digest, size: Number(row.size) };
  }

  async count(tenant: string, packId: string, version: string): Promise<number> {
    const [row] = await this.sql.query<{ n: string }>(
      `select (select count(*) from registry.pack_provenance where tenant = $1 and pack_id = $2 and version = $3)
         + (select count(*) from registry.provisional_attestations where tenant = $1 and pack_id = $2 and version = $3) as n`,
      [tenant, packId, version],
    );
    return Number(row?.n ?? 0);
  }

  async add(added: NewAttestation): Promise<void> {
    const { tenant, packId, version, document, referrer, verdict } = added;
    insertBlobs(this.sql, added.blobs);
    await new PostgresPackStore(this.sql).addVerdict(tenant, verdict, added.verdictHash, added.question);
    await new PostgresAttestationStates(this.sql).forget({ tenant, packId, version, digest: document.digest });
    insertManifests(this.sql, tenant, packId, [{ manifest: referrer, subject: added.subject, blobs: [document.digest] }]);
    await this.sql.query(
      `insert into registry.pack_provenance (tenant, pack_id, version, digest, media_type, manifest_digest, predicate_type, signers,
         verdict_hash, trust_epoch, policy_name, policy_version, added_at, added_by, source)
       values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15)`,
      [
        tenant,
        packId,
        version,
        document.digest,
        document.mediaType,
        referrer.digest,
        added.predicateType,
        JSON.stringify(added.signers),
        added.verdictHash,
        verdict.trust.epoch,
        verdict.policy?.name ?? null,
        verdict.policy?.version ?? null,
        added.addedAt,
        added.actor,
        added.source,
      ],
    );
    sendState(
      this.sql,
      { tenant, packId, version, digest: document.digest },
      {
        state: 'verified',
        reason: null,
        judged: { verdict, hash: added.verdictHash, question: added.question },
        at: added.addedAt,
        by: added.actor,
      },
    );
  }
}
