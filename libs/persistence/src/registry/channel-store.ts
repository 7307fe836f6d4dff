import { versionSortKey, type Digest, type Lifecycle, type PackType, type SignatureMediaType, type SigningPolicy } from '@packs/domain';
import {
  ChannelStore,
  type BlobRef,
  type CurrentHead,
  type CustomChannel,
  type DecidedPlace,
  type HeadMove,
  type JudgeableAttestation,
  type JudgeableVersion,
} from '@packs/ports';
import { lifecycleOf } from '../lifecycle';
import { judgeableAttestations } from './judgeable-attestations';
import type { Sql } from '../transaction';

interface JudgeableRow {
  version: string;
  type: PackType;
  lifecycle: Lifecycle;
  bundle_digest: Digest;
  bundle_size: string;
  object_key: string;
  manifest_digest: Digest;
  manifest_size: string;
  manifest_key: string;
  config_digest: Digest;
  channel: string;
  trust_epoch: string;
  policy: SigningPolicy | null;
  signatures: (BlobRef & { mediaType: SignatureMediaType })[] | null;
  attestations: JudgeableAttestation[] | null;
}

export class PostgresChannelStore extends ChannelStore {
  constructor(private readonly sql: Sql) {
    super();
  }

  async custom(tenant: string): Promise<readonly CustomChannel[]> {
    const rows = await this.sql.query<{ name: string; description: string; created_at: Date; created_by: string }>(
      `select name, description, created_at, created_by from registry.channels where tenant = $1 order by name`,
      [tenant],
    );
    return rows.map(row => ({
      name: row.name,
      description: row.description,
      createdAt: row.created_at.toISOString(),
      createdBy: row.created_by,
    }));
  }

  async put(tenant: string, { name, description, createdAt, createdBy }: CustomChannel): Promise<void> {
    await this.sql.query(
      `insert into registry.channels (tenant, name, description, created_at, created_by) values ($1, $2, $3, $4, $5)
       on conflict (tenant, name) do update set description = excluded.description`,
      [tenant, name, description, createdAt, createdBy],
    );
  }

  async head(tenant: string, packId: string, channel: string): Promise<CurrentHead | undefined> {
    const [row] = await this.sql.query<{ version: string; moved_at: Date; verdict_hash: Digest }>(
      `select h.version, h.moved_at, m.verdict_hash from registry.channel_heads h
       join lateral (select verdict_hash from registry.channel_moves m
         where m.tenant = h.tenant and m.pack_id = h.pack_id and m.channel = h.channel order by m.seq desc limit 1) m on true
       where h.tenant = $1 and h.pack_id = $2 and h.channel = $3`,
      [tenant, packId, channel],
    );
    return row && { version: row.version, movedAt: row.moved_at.toISOString(), verdictHash: row.verdict_hash };
  }

  async move(move: HeadMove): Promise<{ moved: boolean; previous: string | null }> {
    const [row] = await this.sql.query<{ moved: boolean; previous: string | null }>(
      `with head as (
         select h.version, v.sort_key from registry.channel_heads h
         join registry.pack_versions v on v.tenant = h.tenant and v.pack_id = h.pack_id and v.version = h.version
         where h.tenant = $1 and h.pack_id = $2 and h.channel = $3
       ), moved as (
         insert into registry.channel_heads (tenant, pack_id, channel, version, moved_at, moved_by)
         select $1, $2, $3, $4, $5, $6 where not exists (select 1 from head where sort_key >= $7)
         on conflict (tenant, pack_id, channel) do update
           set version = excluded.version, moved_at = excluded.moved_at, moved_by = excluded.moved_by
         returning version
       ), written as (
         insert into registry.channel_moves (tenant, pack_id, seq, channel, from_version, to_version, moved_at, moved_by, reason, verdict_hash)
         select $1, $2, (select coalesce(max(seq), 0) + 1 from registry.channel_moves where tenant = $1 and pack_id = $2),
           $3, (select version from head), $4, $5, $6, $8, $9 from moved
         returning seq
       )
       select exists (select 1 from written) as moved, (select version from head) as previous`,
      [
        move.tenant,
        move.packId,
        move.channel,
        move.version,
        move.at,
        move.actor,
        versionSortKey(move.version),
        move.reason,
        move.verdictHash,
      ],
    );
    return row ?? { moved: false, previous: null };
  }

  async judgeable(tenant: string, packId: string, version: string): Promise<JudgeableVersion | undefined> {
    const [row] = await this.sql.query<JudgeableRow>(
      `select v.version, p.type, ${lifecycleOf('v')} as lifecycle, v.bundle_digest, v.bundle_size, b.object_key, v.manifest_digest,
         mb.size as manifest_size, mb.object_key as manifest_key,
         v.config_digest, v.channel, v.trust_epoch,
         (select pl.document from registry.policies pl where pl.tenant = v.tenant and pl.name = vd.document->'policy'->>'name'
            and pl.version = (vd.document->'policy'->>'version')::int) as policy,
         (select json_agg(json_build_object('digest', s.digest, 'size', sb.size, 'objectKey', sb.object_key, 'mediaType', s.media_type)
            order by s.digest)
          from registry.signatures s join content.blobs sb on sb.digest = s.digest
          where s.tenant = v.tenant and s.pack_id = v.pack_id and s.version = v.version) as signatures,
         ${judgeableAttestations('v')} as attestations
       from registry.pack_versions v
       join registry.packs p on p.tenant = v.tenant and p.pack_id = v.pack_id
       join registry.verdicts vd on vd.tenant = v.tenant and vd.hash = v.verdict_hash
       join content.blobs b on b.digest = v.bundle_digest
       join content.blobs mb on mb.digest = v.manifest_digest
       where v.tenant = $1 and v.pack_id = $2 and v.version = $3`,
      [tenant, packId, version],
    );
    return row && toJudgeable(row);
  }

  decisions(tenant: string, after: DecidedPlace | null, limit: number): Promise<readonly (DecidedPlace & { readonly type: PackType })[]> {
    // One version more than places: of the first all may have been gone through.
    return this.sql.query(
      `select v.pack_id as "packId", v.version, p.type, c.channel
       from (select v.pack_id, v.version, v.channel from registry.pack_versions v
         where v.tenant = $1 and (v.pack_id, v.version) >= ($2, $3) order by v.pack_id, v.version limit $5 + 1) v
       join registry.packs p on p.tenant = $1 and p.pack_id = v.pack_id
       cross join lateral (
         select v.channel union
         select m.channel from registry.channel_moves m where m.tenant = $1 and m.pack_id = v.pack_id and m.to_version = v.version) c
       where (v.pack_id, v.version, c.channel) > ($2, $3, $4)
       order by v.pack_id, v.version, c.channel limit $5`,
      [tenant, after?.packId ?? '', after?.version ?? '', after?.channel ?? '', limit],
    );
  }
}

function toJudgeable(row: JudgeableRow): JudgeableVersion {
  return {
    version: row.version,
    type: row.type,
    lifecycle: row.lifecycle,
    digest: row.bundle_digest,
    manifestDigest: row.manifest_digest,
    config: row.config_digest,
    bundle: { digest: row.bundle_digest, size: Number(row.bundle_size), objectKey: row.object_key },
    manifest: { digest: row.manifest_digest, size: Number(row.manifest_size), objectKey: row.manifest_key },
    signatures: row.signatures ?? [],
    attestations: row.attestations ?? [],
    channel: row.channel,
    verdictPolicy: row.policy,
    verifiedEpoch: Number(row.trust_epoch),
  };
}
