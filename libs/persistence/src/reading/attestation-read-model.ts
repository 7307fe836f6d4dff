import { attestationUri, type AttestationStateView, type AttestationView } from '@packs/contracts';
import type { AttestationMediaType, AttestationState, Digest, SigningPolicy } from '@packs/domain';
import { AttestationReadModel, type ServableAttestation, type Signer, type Viewpoint } from '@packs/ports';
import type { DataSource } from 'typeorm';
import { readAs } from '../transaction';

interface AttestationRow {
  tenant: string;
  pack_id: string;
  version: string;
  digest: Digest;
  media_type: AttestationMediaType;
  predicate_type: string;
  manifest_digest: Digest;
  signers: Signer[];
  verdict_hash: Digest;
  state: AttestationState;
  state_reason: string | null;
  verified_epoch: string;
  added_at: Date;
  added_by: string;
  size: string;
  object_key: string;
  block_checksums: Buffer;
  policy: SigningPolicy | null;
}

type ProvisionalRow = Pick<
  AttestationRow,
  'tenant' | 'pack_id' | 'version' | 'digest' | 'media_type' | 'predicate_type' | 'verdict_hash' | 'added_at' | 'added_by' | 'size'
> & { reason: string | null };

interface StateRow {
  seq: number;
  state: AttestationState;
  reason: string | null;
  verdict_hash: Digest | null;
  trust_epoch: string | null;
  changed_at: Date;
  changed_by: string;
}

export class PostgresAttestationReadModel extends AttestationReadModel {
  constructor(private readonly dataSource: DataSource) {
    super();
  }

  async list(at: Viewpoint, packId: string, version: string): Promise<ServableAttestation[]> {
    const rows = await readAs(this.dataSource, at.tenant, sql =>
      sql.query<AttestationRow>(
        `select a.tenant, a.pack_id, a.version, a.digest, a.media_type, a.predicate_type, a.manifest_digest, a.signers, a.verdict_hash,
           a.state, a.state_reason, 
           case a.state when 'verified' then coalesce(a.assessed_epoch, a.trust_epoch) when 'contested' then a.trust_epoch else -1 end as verified_epoch,
           a.added_at, a.added_by, b.size, b.object_key, b.block_checksums, p.document as policy
         from registry.pack_provenance a
         join content.blobs b on b.digest = a.digest
         left join registry.policies p on p.tenant = a.tenant and p.name = a.policy_name and p.version = a.policy_version
         where a.tenant = $1 and a.pack_id = $2 and a.version = $3 order by a.added_at, a.digest`,
        [at.namespace, packId, version],
      ),
    );
    return rows.map(toServable);
  }

  async provisional(at: Viewpoint, packId: string, version: string): Promise<AttestationView[]> {
    const rows = await readAs(this.dataSource, at.tenant, sql =>
      sql.query<ProvisionalRow>(
        `select a.tenant, a.pack_id, a.version, a.digest, a.media_type, a.predicate_type, a.reason, a.verdict_hash, a.added_at, a.added_by, b.size
         from registry.provisional_attestations a join content.blobs b on b.digest = a.digest
         where a.tenant = $1 and a.pack_id = $2 and a.version = $3 order by a.added_at, a.digest`,
        [at.namespace, packId, version],
      ),
    );
    return rows.map(toProvisional);
  }

  async history(at: Viewpoint, packId: string, version: string, digest: Digest): Promise<AttestationStateView[]> {
    const rows = await readAs(this.dataSource, at.tenant, sql =>
      sql.query<StateRow>(
        `select seq, state, reason, verdict_hash, trust_epoch, changed_at, changed_by from registry.attestation_states
         where tenant = $1 and pack_id = $2 and version = $3 and digest = $4 order by seq`,
        [at.namespace, packId, version, digest],
      ),
    );
    return rows.map(({ verdict_hash, trust_epoch, changed_at, changed_by, ...row }) => ({
      ...row,
      verdict: verdict_hash,
      trustEpoch: trust_epoch === null ? null : Number(trust_epoch),
      changedAt: changed_at.toISOString(),
      changedBy: changed_by,
    }));
  }
}

function toServable(row: AttestationRow): ServableAttestation {
  const size = Number(row.size);
  return {
    view: {
      digest: row.digest,
      mediaType: row.media_type,
      size,
      predicateType: row.predicate_type,
      state: row.state,
      stateReason: row.state_reason,
      manifestDigest: row.manifest_digest,
      signers: row.signers,
      verdict: row.verdict_hash,
      addedAt: row.added_at.toISOString(),
      addedBy: row.added_by,
      uri: attestationUri(row.tenant, row.pack_id, row.version, row.digest),
    },
    document: { digest: row.digest, size, objectKey: row.object_key, blockChecksums: row.block_checksums.toString('base64') },
    verifiedEpoch: Number(row.verified_epoch),
    verdictPolicy: row.policy,
  };
}

function toProvisional(row: ProvisionalRow): AttestationView {
  return {
    digest: row.digest,
    mediaType: row.media_type,
    size: Number(row.size),
    predicateType: row.predicate_type,
    state: 'provisional',
    stateReason: row.reason,
    manifestDigest: null,
    signers: [],
    verdict: row.verdict_hash,
    addedAt: row.added_at.toISOString(),
    addedBy: row.added_by,
    uri: attestationUri(row.tenant, row.pack_id, row.version, row.digest),
  };
}
