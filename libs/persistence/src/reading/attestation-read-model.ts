import { attestationUri } from '@packs/contracts';
import type { AttestationMediaType, Digest, SigningPolicy } from '@packs/domain';
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
  trust_epoch: string;
  added_at: Date;
  added_by: string;
  size: string;
  object_key: string;
  block_checksums: Buffer;
  policy: SigningPolicy | null;
}

export class PostgresAttestationReadModel extends AttestationReadModel {
  constructor(private readonly dataSource: DataSource) {
    super();
  }

  async list(at: Viewpoint, packId: string, version: string): Promise<ServableAttestation[]> {
    const rows = await readAs(this.dataSource, at.tenant, sql =>
      sql.query<AttestationRow>(
        `select a.tenant, a.pack_id, a.version, a.digest, a.media_type, a.predicate_type, a.manifest_digest, a.signers, a.verdict_hash,
           a.trust_epoch, a.added_at, a.added_by, b.size, b.object_key, b.block_checksums, p.document as policy
         from registry.pack_provenance a
         join content.blobs b on b.digest = a.digest
         left join registry.policies p on p.tenant = a.tenant and p.name = a.policy_name and p.version = a.policy_version
         where a.tenant = $1 and a.pack_id = $2 and a.version = $3 order by a.added_at, a.digest`,
        [at.namespace, packId, version],
      ),
    );
    return rows.map(toServable);
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
      manifestDigest: row.manifest_digest,
      signers: row.signers,
      verdict: row.verdict_hash,
      addedAt: row.added_at.toISOString(),
      addedBy: row.added_by,
      uri: attestationUri(row.tenant, row.pack_id, row.version, row.digest),
    },
    document: { digest: row.digest, size, objectKey: row.object_key, blockChecksums: row.block_checksums.toString('base64') },
    verifiedEpoch: Number(row.trust_epoch),
    verdictPolicy: row.policy,
  };
}
