import { attestationUri, type PackView, type VersionView } from '@packs/contracts';
import type { Digest, Lifecycle, PackManifest, PackType, SignatureMediaType, SigningPolicy, Verdict } from '@packs/domain';
import type { JudgeableAttestation, ServableVersion } from '@packs/ports';
import { lifecycleOf } from '../lifecycle';
import { judgeableAttestations } from '../registry/judgeable-attestations';
import { withdrawalOf, type WithdrawalRow } from '../registry/standing-store';
import { NO_TRUST } from '../registry/trust-store';

/** What lists and details share: one version of one pack. */
const VERSION_COLUMNS = `v.tenant, v.pack_id, v.version, v.name, v.manifest_digest, v.bundle_digest, v.bundle_size, v.config,
  v.published_at, v.deprecated_at, ${lifecycleOf('v')} as lifecycle`;

export interface PackRow {
  tenant: string;
  pack_id: string;
  version: string;
  type: PackType;
  name: string;
  manifest_digest: Digest;
  bundle_digest: Digest;
  bundle_size: string;
  config: PackManifest;
  published_at: Date;
  deprecated_at: Date | null;
  lifecycle: Lifecycle;
  heads: Record<string, string> | null;
}

/** Each pack with the version that stands for it: the newest active release, else the newest deprecated, else the newest archived one. */
export const SELECT_PACKS = `
  select ${VERSION_COLUMNS}, p.type,
    (select json_object_agg(h.channel, h.version) from registry.channel_heads h where h.tenant = p.tenant and h.pack_id = p.pack_id) as heads
  from registry.packs p
  join lateral (
    select * from registry.pack_versions v where v.tenant = p.tenant and v.pack_id = p.pack_id
    order by v.deprecated_at is null desc, v.archived_at is null desc, v.prerelease, v.sort_key desc limit 1
  ) v on true
  where p.tenant = $1`;

export function toPackView(row: PackRow): PackView {
  const { metadata, dependencies, compatibility } = row.config;
  return {
    packId: row.pack_id,
    tenant: row.tenant,
    version: row.version,
    type: row.type,
    name: row.name,
    description: metadata.description ?? null,
    digest: row.bundle_digest,
    manifestDigest: row.manifest_digest,
    size: Number(row.bundle_size),
    publishedAt: row.published_at.toISOString(),
    author: metadata.author ?? null,
    tags: [...(metadata.tags ?? [])],
    channels: row.heads ?? {},
    deprecated: row.lifecycle !== 'active',
    lifecycle: row.lifecycle,
    dependencies: [...(dependencies ?? [])],
    metadata: {
      ...(compatibility?.runner?.minRunnerVersion && { minRunnerVersion: compatibility.runner.minRunnerVersion }),
      ...(metadata.license && { license: metadata.license }),
      ...(metadata.annotations && { annotations: metadata.annotations }),
    },
  };
}

interface SignatureJson {
  digest: Digest;
  mediaType: SignatureMediaType;
  size: number;
  objectKey: string;
  keyName: string | null;
  keyId: string | null;
  scheme: string | null;
}

export interface VersionRow extends PackRow, WithdrawalRow {
  published_by: string;
  source: string | null;
  deprecated_by: string | null;
  deprecation_reason: string | null;
  replacement: string | null;
  archived_at: Date | null;
  archived_by: string | null;
  archive_reason: string | null;
  tenant_visibility: string[];
  channel: string;
  trust_epoch: string;
  verdict_hash: Digest;
  verdict: Verdict;
  channels: string[] | null;
  signatures: SignatureJson[] | null;
  attestations: Digest[] | null;
}

export const SELECT_VERSIONS = `
  select ${VERSION_COLUMNS}, p.type, v.published_by, v.source, v.deprecated_by, v.deprecation_reason, v.replacement,
    v.archived_at, v.archived_by, v.archive_reason, v.tenant_visibility, v.channel, v.trust_epoch, v.verdict_hash, vd.document as verdict,
    v.withdrawn_at, v.withdrawn_epoch, v.withdrawal_verdict, v.withdrawal_reasons,
    (select array_agg(h.channel order by h.channel) from registry.channel_heads h
     where h.tenant = v.tenant and h.pack_id = v.pack_id and h.version = v.version) as channels,
    (select json_agg(json_build_object('digest', s.digest, 'mediaType', s.media_type, 'size', b.size, 'objectKey', b.object_key,
       'keyName', s.key_name, 'keyId', s.key_id, 'scheme', s.scheme) order by s.digest)
     from registry.signatures s join content.blobs b on b.digest = s.digest
     where s.tenant = v.tenant and s.pack_id = v.pack_id and s.version = v.version) as signatures,
    (select array_agg(a.digest order by a.added_at, a.digest) from registry.pack_provenance a
     where a.tenant = v.tenant and a.pack_id = v.pack_id and a.version = v.version) as attestations`;

export const FROM_VERSIONS = `
  from registry.pack_versions v
  join registry.packs p on p.tenant = v.tenant and p.pack_id = v.pack_id
  join registry.verdicts vd on vd.tenant = v.tenant and vd.hash = v.verdict_hash`;

export function toVersionView(row: VersionRow): VersionView {
  const { dependencies, compatibility } = row.config;
  return {
    packId: row.pack_id,
    tenant: row.tenant,
    version: row.version,
    type: row.type,
    digest: row.bundle_digest,
    manifestDigest: row.manifest_digest,
    size: Number(row.bundle_size),
    publishedAt: row.published_at.toISOString(),
    publishedBy: row.published_by,
    channels: row.channels ?? [],
    deprecated: row.lifecycle !== 'active',
    lifecycle: row.lifecycle,
    deprecation: row.deprecated_at && {
      at: row.deprecated_at.toISOString(),
      by: row.deprecated_by ?? '',
      reason: row.deprecation_reason,
      replacement: row.replacement,
    },
    withdrawal: toWithdrawalView(row),
    archival: row.archived_at && { at: row.archived_at.toISOString(), by: row.archived_by ?? '', reason: row.archive_reason },
    tenantVisibility: row.tenant_visibility,
    compatibility: {
      ...(compatibility?.cli && { cli: compatibility.cli }),
      ...(compatibility?.runner && { runner: { ...compatibility.runner } }),
    },
    dependencies: [...(dependencies ?? [])],
    provenance: {
      attestations: (row.attestations ?? []).map(digest => attestationUri(row.tenant, row.pack_id, row.version, digest)),
      source: row.source,
    },
    manifest: { ...row.config },
    signatures: (row.signatures ?? []).map(({ objectKey: _, ...shown }) => shown),
    verdict: { ...row.verdict, hash: row.verdict_hash },
  };
}

function toWithdrawalView(row: WithdrawalRow): VersionView['withdrawal'] {
  const withdrawal = withdrawalOf(row);
  return withdrawal && { at: withdrawal.at, reasons: withdrawal.reasons, trustEpoch: withdrawal.epoch, verdict: withdrawal.verdictHash };
}

export interface ServableRow extends VersionRow {
  object_key: string;
  block_checksums: Buffer;
  manifest_size: string;
  manifest_key: string;
  current_epoch: string | null;
  trust_digest: Digest | null;
  trust_size: string | null;
  trust_key: string | null;
  verdict_policy: SigningPolicy | null;
  judgeable_attestations: JudgeableAttestation[] | null;
}

export const SELECT_SERVABLE = `${SELECT_VERSIONS}, bundle.object_key, bundle.block_checksums,
    mb.size as manifest_size, mb.object_key as manifest_key,
    t.trust_epoch as current_epoch, t.trust_digest, tb.size as trust_size, tb.object_key as trust_key,
    (select pl.document from registry.policies pl where pl.tenant = v.tenant and pl.name = vd.document->'policy'->>'name'
       and pl.version = (vd.document->'policy'->>'version')::int) as verdict_policy,
    case when vd.document->'attestations' is not null then ${judgeableAttestations('v')} end as judgeable_attestations
  ${FROM_VERSIONS}
  join content.blobs bundle on bundle.digest = v.bundle_digest
  join content.blobs mb on mb.digest = v.manifest_digest
  left join registry.tenants t on t.tenant = v.tenant
  left join content.blobs tb on tb.digest = t.trust_digest`;

export function toServableVersion(row: ServableRow): ServableVersion {
  return {
    view: toVersionView(row),
    bundle: {
      digest: row.bundle_digest,
      size: Number(row.bundle_size),
      objectKey: row.object_key,
      blockChecksums: row.block_checksums.toString('base64'),
    },
    manifest: { digest: row.manifest_digest, size: Number(row.manifest_size), objectKey: row.manifest_key },
    type: row.type,
    channel: row.channel,
    signatures: (row.signatures ?? []).map(({ digest, size, objectKey, mediaType }) => ({
      digest,
      size: Number(size),
      objectKey,
      mediaType,
    })),
    attestations: row.judgeable_attestations ?? [],
    verifiedEpoch: Number(row.trust_epoch),
    withdrawal: withdrawalOf(row),
    verdictPolicy: row.verdict_policy,
    trust: {
      epoch: Number(row.current_epoch ?? 0),
      digest: row.trust_digest ?? NO_TRUST,
      material:
        row.trust_digest && row.trust_key ? { digest: row.trust_digest, size: Number(row.trust_size), objectKey: row.trust_key } : null,
    },
  };
}
