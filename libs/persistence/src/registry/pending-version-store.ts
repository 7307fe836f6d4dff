import { withoutBuild, type Digest } from '@packs/domain';
import { PendingVersionStore, type NewClaim, type PendingVersion } from '@packs/ports';
import type { Sql } from '../transaction';
import { PostgresRepositoryStore } from './repository-store';

interface PendingRow {
  tenant: string;
  pack_id: string;
  version: string;
  channel: string;
  claimed_at: Date;
  claimed_by: string;
  source: string | null;
  expires_at: Date;
  manifest_digest: Digest;
  manifest_size: string;
  manifest_key: string;
  media_type: string;
  bundle_digest: Digest;
  bundle_size: string;
  bundle_key: string;
}

export class PostgresPendingVersionStore extends PendingVersionStore {
  private readonly repositories: PostgresRepositoryStore;

  constructor(private readonly sql: Sql) {
    super();
    this.repositories = new PostgresRepositoryStore(sql);
  }

  async find(tenant: string, packId: string, version: string): Promise<PendingVersion | undefined> {
    const [row] = await this.sql.query<PendingRow>(
      `select p.tenant, p.pack_id, p.version, p.channel, p.claimed_at, p.claimed_by, p.source, p.expires_at,
         p.manifest_digest, mb.size as manifest_size, mb.object_key as manifest_key, m.media_type,
         p.bundle_digest, bb.size as bundle_size, bb.object_key as bundle_key
       from registry.pending_versions p
       join registry.manifests m on m.tenant = p.tenant and m.repository = p.pack_id and m.digest = p.manifest_digest
       join content.blobs mb on mb.digest = p.manifest_digest join content.blobs bb on bb.digest = p.bundle_digest
       where p.tenant = $1 and p.pack_id = $2 and p.version_core = $3`,
      [tenant, packId, withoutBuild(version)],
    );
    return row && toPending(row);
  }

  async claim(claim: NewClaim): Promise<void> {
    const { tenant, packId, claimedAt: at, claimedBy: actor } = claim;
    const artifact = { manifest: claim.manifest, blobs: [claim.config, claim.bundle] };
    let newBlobs = claim.blobs;
    for (const { manifest, blobs } of [artifact, ...claim.referrers]) {
      const push = { tenant, repository: packId, manifest, blobs, newBlobs, taggedSubject: null, tag: null, at, actor };
      await this.repositories.addReferrer(push);
      newBlobs = [];
    }
    await this.sql.query(
      `insert into registry.pending_versions (tenant, pack_id, version, version_core, manifest_digest, bundle_digest, channel, reasons,
         claimed_at, claimed_by, source, expires_at)
       values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12) on conflict do nothing`,
      [
        ...[tenant, packId, claim.version, withoutBuild(claim.version), claim.manifest.digest, claim.bundle, claim.channel],
        ...[claim.reasons, at, actor, claim.source, claim.expiresAt],
      ],
    );
  }

  async complete(tenant: string, packId: string, version: string): Promise<void> {
    await this.sql.query(`delete from registry.pending_versions where tenant = $1 and pack_id = $2 and version_core = $3`, [
      tenant,
      packId,
      withoutBuild(version),
    ]);
  }

  async release(tenant: string, packId: string, version: string): Promise<boolean> {
    const [row] = await this.sql.query<{ manifest_digest: Digest }>(
      `delete from registry.pending_versions where tenant = $1 and pack_id = $2 and version_core = $3 returning manifest_digest`,
      [tenant, packId, withoutBuild(version)],
    );
    if (!row) return false;
    const manifests = await this.sql.query<{ digest: Digest }>(
      `select digest from registry.manifests where tenant = $1 and repository = $2 and $3 in (digest, subject, tagged_subject)`,
      [tenant, packId, row.manifest_digest],
    );
    const digests = manifests.map(({ digest }) => digest);
    const blobs = await this.sql.query<{ blob_digest: Digest }>(
      `select distinct blob_digest from registry.manifest_blobs where tenant = $1 and repository = $2 and manifest_digest = any($3)`,
      [tenant, packId, digests],
    );
    for (const digest of digests) await this.repositories.deleteManifest(tenant, packId, digest);
    // A blob that was uploaded anew just now is about to be pushed again.
    await this.sql.query(
      `delete from content.repository_blobs r where tenant = $1 and repository = $2 and digest = any($3) and uploaded_at < now() - interval '1 hour'
         and not exists (select 1 from registry.manifest_blobs e where e.tenant = r.tenant and e.repository = r.repository and e.blob_digest = r.digest)`,
      [tenant, packId, blobs.map(({ blob_digest: digest }) => digest)],
    );
    return true;
  }

  due(now: string, limit: number): Promise<readonly Pick<PendingVersion, 'tenant' | 'packId' | 'version'>[]> {
    return this.sql.query(
      `select tenant, pack_id as "packId", version from registry.pending_versions where expires_at <= $1 order by expires_at limit $2`,
      [now, limit],
    );
  }
}

function toPending(row: PendingRow): PendingVersion {
  return {
    tenant: row.tenant,
    packId: row.pack_id,
    version: row.version,
    manifest: { digest: row.manifest_digest, size: Number(row.manifest_size), objectKey: row.manifest_key, mediaType: row.media_type },
    bundle: { digest: row.bundle_digest, size: Number(row.bundle_size), objectKey: row.bundle_key },
    channel: row.channel,
    claimedAt: row.claimed_at.toISOString(),
    claimedBy: row.claimed_by,
    source: row.source,
    expiresAt: row.expires_at.toISOString(),
  };
}
