import type { Digest } from '@packs/domain';
import { SignatureStore, type ChannelPolicy, type NewRotation } from '@packs/ports';
import { insertBlobs } from '../content-catalog';
import type { Sql } from '../transaction';
import { insertManifests } from './manifest-rows';
import { PostgresPackStore } from './pack-store';
import { insertSignature } from './signature-rows';

export class PostgresSignatureStore extends SignatureStore {
  constructor(private readonly sql: Sql) {
    super();
  }

  async channelPolicies(tenant: string, packId: string, version: string): Promise<readonly ChannelPolicy[]> {
    return this.sql.query<ChannelPolicy>(
      `select h.channel, (select pl.document from registry.policies pl where pl.tenant = h.tenant and pl.name = vd.document->'policy'->>'name'
           and pl.version = (vd.document->'policy'->>'version')::int) as policy
       from registry.channel_heads h
       join lateral (select verdict_hash from registry.channel_moves m
         where m.tenant = h.tenant and m.pack_id = h.pack_id and m.channel = h.channel order by m.seq desc limit 1) m on true
       join registry.verdicts vd on vd.tenant = h.tenant and vd.hash = m.verdict_hash
       where h.tenant = $1 and h.pack_id = $2 and h.version = $3 order by h.channel`,
      [tenant, packId, version],
    );
  }

  async retired(tenant: string, packId: string, version: string, digests: readonly Digest[]): Promise<readonly Digest[]> {
    const rows = await this.sql.query<{ digest: Digest }>(
      `select distinct r.digest from registry.retired_signatures r
       where r.tenant = $1 and r.pack_id = $2 and r.version = $3 and r.digest = any($4) and not exists (select from registry.signatures s
         where s.tenant = r.tenant and s.pack_id = r.pack_id and s.version = r.version and s.digest = r.digest)`,
      [tenant, packId, version, digests],
    );
    return rows.map(row => row.digest);
  }

  async rotate(rotation: NewRotation): Promise<number> {
    const { tenant, packId, version, subject, added, replaced, verdict, verdictHash } = rotation;
    insertBlobs(this.sql, rotation.blobs);
    await new PostgresPackStore(this.sql).addVerdict(tenant, verdict, verdictHash, rotation.question);
    const referrers = added.map(({ blob, manifest }) => ({ manifest, subject, blobs: [blob.digest] }));
    insertManifests(this.sql, tenant, packId, referrers);
    const [row] = await this.sql.query<{ seq: number }>(
      `insert into registry.signature_rotations
         (tenant, pack_id, version, seq, rotated_at, rotated_by, source, reason, added, replaced, verdict_hash, trust_epoch)
       select $1, $2, $3, coalesce(max(seq), 0) + 1, $4, $5, $6, $7, $8, $9, $10, $11 from registry.signature_rotations
       where tenant = $1 and pack_id = $2 and version = $3 returning seq`,
      [
        ...[tenant, packId, version, rotation.rotatedAt, rotation.actor, rotation.source, rotation.reason],
        ...[added.map(({ blob }) => blob.digest), replaced, verdictHash, verdict.trust.epoch],
      ],
    );
    const seq = row?.seq ?? 1;
    this.retire(rotation, seq);
    for (const signature of added) insertSignature(this.sql, { tenant, packId, version, addedAt: rotation.rotatedAt }, signature);
    return seq;
  }

  private retire({ tenant, packId, version, replaced }: NewRotation, seq: number): void {
    if (replaced.length === 0) return;
    const columns = 'tenant, pack_id, version, digest, media_type, manifest_digest, key_name, key_id, scheme, added_at';
    this.sql.send(
      `with gone as (
         delete from registry.signatures where tenant = $1 and pack_id = $2 and version = $3 and digest = any($4) returning ${columns})
       insert into registry.retired_signatures (${columns}, retired_by) select ${columns}, $5 from gone`,
      [tenant, packId, version, replaced, seq],
    );
  }
}
