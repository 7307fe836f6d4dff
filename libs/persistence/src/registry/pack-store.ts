import type { VerdictQuestion } from '@packs/contracts';
import { isPrerelease, versionSortKey, withoutBuild, type Digest, type PackType, type RepositoryKind, type Verdict } from '@packs/domain';
import { PackStore, type ExistingVersion, type NewVersion, type StoredBlob } from '@packs/ports';
import { insertBlobs } from '../content-catalog';
import type { Sql } from '../transaction';
import { PostgresChannelStore } from './channel-store';
import { insertManifests, type ManifestRow } from './manifest-rows';
import { requirePack } from './repository-store';
import { insertSignature } from './signature-rows';

interface VersionRow {
  version: string;
  manifest_digest: Digest;
  bundle_digest: Digest;
  bundle_size: string;
  config_digest: Digest;
  channel: string;
  verdict_hash: Digest;
  type: PackType;
  deprecated_at: Date | null;
  archived_at: Date | null;
  replacement: string | null;
  signatures: Digest[] | null;
}

export class PostgresPackStore extends PackStore {
  constructor(private readonly sql: Sql) {
    super();
  }

  async lockPack(tenant: string, packId: string, type: PackType): Promise<PackType> {
    const [row] = await this.sql.query<{ type: PackType; kind: RepositoryKind }>(
      `with repository as (
         insert into registry.repositories (tenant, name, kind) values ($1, $2, 'pack')
         on conflict (tenant, name) do update set created_at = repositories.created_at returning kind),
       pack as (
         insert into registry.packs (tenant, pack_id, type) values ($1, $2, $3)
         on conflict (tenant, pack_id) do update set created_at = packs.created_at returning type)
       select type, kind from pack, repository`,
      [tenant, packId, type],
    );
    requirePack(packId, row?.kind);
    return row?.type ?? type;
  }

  async findVersion(tenant: string, packId: string, version: string): Promise<ExistingVersion | undefined> {
    const [row] = await this.sql.query<VersionRow>(
      `select v.version, v.manifest_digest, v.bundle_digest, v.bundle_size, v.config_digest, v.channel, v.verdict_hash, p.type, v.deprecated_at, v.archived_at,
         v.replacement,
         (select array_agg(s.digest order by s.digest) from registry.signatures s
          where s.tenant = v.tenant and s.pack_id = v.pack_id and s.version = v.version) as signatures
       from registry.pack_versions v join registry.packs p using (tenant, pack_id)
       where v.tenant = $1 and v.pack_id = $2 and v.version_core = $3`,
      [tenant, packId, withoutBuild(version)],
    );
    if (!row) return undefined;
    return {
      packId,
      version: row.version,
      digest: row.bundle_digest,
      manifestDigest: row.manifest_digest,
      size: Number(row.bundle_size),
      channel: row.channel,
      verdictHash: row.verdict_hash,
      type: row.type,
      deprecatedAt: row.deprecated_at?.toISOString() ?? null,
      archivedAt: row.archived_at?.toISOString() ?? null,
      replacement: row.replacement,
      config: row.config_digest,
      signatures: row.signatures ?? [],
    };
  }

  async versionsOf(tenant: string, packIds: readonly string[]): Promise<ReadonlyMap<string, readonly string[]>> {
    if (packIds.length === 0) return new Map();
    const rows = await this.sql.query<{ pack_id: string; versions: string[] }>(
      `select pack_id, array_agg(version) as versions from registry.pack_versions
       where tenant = $1 and pack_id = any($2) and deprecated_at is null group by pack_id`,
      [tenant, packIds],
    );
    return new Map(rows.map(row => [row.pack_id, row.versions]));
  }

  async addVersion(added: NewVersion): Promise<{ channelMoved: boolean }> {
    insertBlobs(this.sql, [...added.blobs, ...(added.scanReports ?? [])]);
    this.insertVerdict(added.tenant, added.verdict, added.verdictHash, added.question);
    this.keepOthers(added);
    insertManifests(this.sql, added.tenant, added.manifest.metadata.packId, manifestsOf(added));
    this.insertVersion(added);
    this.insertSignatures(added);
    const { packId, version } = added.manifest.metadata;
    const { tenant, channel, publishedAt: at, actor, verdictHash } = added;
    const move = { tenant, packId, channel, version, at, actor, reason: 'publish', verdictHash } as const;
    const { moved } = await new PostgresChannelStore(this.sql).move(move);
    return { channelMoved: moved };
  }

  async deprecate(
    tenant: string,
    packId: string,
    version: string,
    note: { at: string; actor: string; reason: string | null; replacement: string | null },
  ): Promise<void> {
    await this.sql.query(
      `update registry.pack_versions set deprecated_at = $4, deprecated_by = $5, deprecation_reason = $6, replacement = $7
       where tenant = $1 and pack_id = $2 and version = $3`,
      [tenant, packId, version, note.at, note.actor, note.reason, note.replacement],
    );
  }

  async archive(
    tenant: string,
    packId: string,
    version: string,
    note: { at: string; actor: string; reason: string | null; replacement: string | null },
  ): Promise<void> {
    await this.sql.query(
      `update registry.pack_versions set archived_at = $4, archived_by = $5, archive_reason = $6,
         deprecated_at = coalesce(deprecated_at, $4), deprecated_by = coalesce(deprecated_by, $5),
         deprecation_reason = case when deprecated_at is null then $6 else deprecation_reason end, replacement = coalesce($7, replacement)
       where tenant = $1 and pack_id = $2 and version = $3`,
      [tenant, packId, version, note.at, note.actor, note.reason, note.replacement],
    );
  }

  async addVerdict(
    tenant: string,
    verdict: Verdict,
    hash: Digest,
    question: VerdictQuestion,
    scanReports: readonly StoredBlob[] = [],
  ): Promise<void> {
    insertBlobs(this.sql, scanReports);
    this.insertVerdict(tenant, verdict, hash, question);
    this.keepEvidence(
      tenant,
      hash,
      scanReports.map(({ digest }) => digest),
    );
  }

  private insertVerdict(tenant: string, verdict: Verdict, hash: Digest, question: VerdictQuestion): void {
    this.sql.send(`insert into registry.verdicts (tenant, hash, document, question) values ($1, $2, $3, $4) on conflict do nothing`, [
      tenant,
      hash,
      JSON.stringify(verdict),
      JSON.stringify(question),
    ]);
  }

  /** What the verdict looked at beside the version's signatures, and what scanners said: their bytes stay as long as the verdict does. */
  private keepOthers({ tenant, verdict, verdictHash, signatures, scanReports = [] }: NewVersion): void {
    const held = new Set(signatures.map(({ blob }) => blob.digest));
    const others = [...verdict.evidence, ...(verdict.attestations ?? [])].filter(digest => !held.has(digest));
    this.keepEvidence(tenant, verdictHash, [...others, ...scanReports.map(({ digest }) => digest)]);
  }

  private keepEvidence(tenant: string, verdictHash: Digest, digests: readonly Digest[]): void {
    if (digests.length === 0) return;
    this.sql.send(
      `insert into registry.verdict_evidence (tenant, verdict_hash, digest)
       select $1, $2, d from unnest($3::text[]) as t(d) on conflict do nothing`,
      [tenant, verdictHash, [...new Set(digests)]],
    );
  }

  private insertVersion(added: NewVersion): void {
    const { metadata } = added.manifest;
    this.sql.send(
      `insert into registry.pack_versions (tenant, pack_id, version, version_core, sort_key, prerelease, name, manifest_digest, bundle_digest,
         bundle_size, config_digest, config, tags, tenant_visibility, channel, verdict_hash, trust_epoch, published_at, published_by, source)
       values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, $19, $20)`,
      [
        added.tenant,
        metadata.packId,
        metadata.version,
        withoutBuild(metadata.version),
        versionSortKey(metadata.version),
        isPrerelease(metadata.version),
        metadata.name,
        added.ociManifest.digest,
        added.bundle.digest,
        added.bundle.size,
        added.config.digest,
        JSON.stringify(added.manifest),
        metadata.tags ?? [],
        metadata.tenantVisibility ?? [],
        added.channel,
        added.verdictHash,
        added.verdict.trust.epoch,
        added.publishedAt,
        added.actor,
        added.source,
      ],
    );
  }

  private insertSignatures(added: NewVersion): void {
    const { packId, version } = added.manifest.metadata;
    const at = { tenant: added.tenant, packId, version, addedAt: added.publishedAt };
    for (const signature of added.signatures) insertSignature(this.sql, at, signature);
  }
}

/** The version's own manifest and its signatures' referrers. */
function manifestsOf(added: NewVersion): ManifestRow[] {
  return [
    { manifest: added.ociManifest, subject: null, blobs: [added.config.digest, added.bundle.digest] },
    ...added.signatures.map(signature => ({
      manifest: signature.manifest,
      subject: added.ociManifest.digest,
      blobs: [signature.blob.digest],
    })),
  ];
}
