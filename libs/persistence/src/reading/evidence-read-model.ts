import { PackEvidenceExported } from '@packs/contracts';
import type { Digest, SigningPolicy, Verdict } from '@packs/domain';
import { EvidenceReadModel, type AuditedLeaf, type BlobRef, type LeafQuery } from '@packs/ports';
import type { DataSource } from 'typeorm';
import { readAs } from '../transaction';

const ABOUT_VERSION = `tenant = $1 and pack_id = $2 and version = $3`;

export class PostgresEvidenceReadModel extends EvidenceReadModel {
  constructor(private readonly dataSource: DataSource) {
    super();
  }

  verdicts(tenant: string, packId: string, version: string, limit: number): Promise<readonly { hash: Digest; verdict: Verdict }[]> {
    return readAs(this.dataSource, tenant, sql =>
      sql.query(
        `select hash, document as verdict from registry.verdicts where tenant = $1 and hash in (
           select verdict_hash from registry.pack_versions where ${ABOUT_VERSION}
           union select withdrawal_verdict from registry.pack_versions where ${ABOUT_VERSION}
           union select verdict_hash from registry.signature_rotations where ${ABOUT_VERSION}
           union select verdict_hash from registry.pack_provenance where ${ABOUT_VERSION}
           union select verdict_hash from registry.provisional_attestations where ${ABOUT_VERSION}
           union select verdict_hash from registry.attestation_states where ${ABOUT_VERSION}
           union select verdict_hash from registry.channel_moves where tenant = $1 and pack_id = $2 and to_version = $3)
         order by hash limit $4`,
        [tenant, packId, version, limit],
      ),
    );
  }

  async policies(tenant: string, names: readonly { name: string; version: number }[]): Promise<readonly SigningPolicy[]> {
    const rows = await readAs(this.dataSource, tenant, sql =>
      sql.query<{ document: SigningPolicy }>(
        `select document from registry.policies where tenant = $1
           and (name, version) in (select n.name, n.version from jsonb_to_recordset($2::jsonb) as n(name text, version integer))
         order by name, version`,
        [tenant, JSON.stringify(names)],
      ),
    );
    return rows.map(({ document }) => document);
  }

  async blobs(tenant: string, digests: readonly Digest[]): Promise<readonly BlobRef[]> {
    const rows = await readAs(this.dataSource, tenant, sql =>
      sql.query<{ digest: Digest; size: string; object_key: string }>(
        `select digest, size, object_key from content.blobs where digest = any($1) order by digest`,
        [digests],
      ),
    );
    return rows.map(({ digest, size, object_key: objectKey }) => ({ digest, size: Number(size), objectKey }));
  }

  async leaves(tenant: string, { packId, version, after, limit }: LeafQuery): Promise<readonly AuditedLeaf[]> {
    const rows = await readAs(this.dataSource, tenant, sql =>
      sql.query<{ seq: string; leaf: Buffer; leaf_hash: Buffer }>(
        `select seq, leaf, leaf_hash from compliance.audit_log
         where ${ABOUT_VERSION} and seq > $4 and type <> $5 order by seq limit $6`,
        [tenant, packId, version, after, PackEvidenceExported.type, limit],
      ),
    );
    return rows.map(({ seq, leaf, leaf_hash: hash }) => ({ seq: Number(seq), bytes: leaf, hash: hash.toString('hex') }));
  }
}
