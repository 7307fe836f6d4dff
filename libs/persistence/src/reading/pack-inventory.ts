import type { Selection } from '@packs/contracts';
import {
  ATTESTATION_MEDIA_TYPES,
  EMPTY_JSON,
  MEDIA_TYPES,
  sha256,
  SIGNATURE_MEDIA_TYPES,
  type Digest,
  type PackType,
  type SignatureMediaType,
  type SigningPolicy,
} from '@packs/domain';
import {
  PackInventory,
  type InventoryHead,
  type InventoryBlob,
  type InventoryOptions,
  type InventoryReferrer,
  type InventoryVersion,
  type InventoryVerification,
} from '@packs/ports';
import type { DataSource } from 'typeorm';
import { NO_TRUST } from '../registry/trust-store';
import { readAs, type SqlValue } from '../transaction';

const PAGE = 100;

interface BlobJson {
  digest: Digest;
  size: number;
  objectKey: string;
  blockChecksums: string;
}

interface VersionRow {
  pack_id: string;
  version: string;
  sort_key: string;
  type: PackType;
  bundle_digest: Digest;
  tenant_visibility: string[];
  published_at: Date;
  deprecated_at: Date | null;
  deprecated_by: string | null;
  deprecation_reason: string | null;
  replacement: string | null;
  archived_at: Date | null;
  channel: string;
  trust_epoch: string;
  withdrawn_epoch: string | null;
  manifest_media_type: string;
  manifest: BlobJson;
  config: BlobJson;
  bundle: BlobJson;
  channels: string[] | null;
  referrers:
    | {
        manifest: BlobJson & { mediaType: string; artifactType: string };
        isSignature: boolean;
        verification: InventoryReferrer['verification'];
        blobs: BlobJson[] | null;
      }[]
    | null;
  signatures: { digest: Digest; size: number; objectKey: string; mediaType: SignatureMediaType }[] | null;
  current_epoch: string | null;
  trust_digest: Digest | null;
  trust_size: string | null;
  trust_key: string | null;
  verdict_policy: SigningPolicy | null;
}

const blobJson = (
  alias: string,
): string => `json_build_object('digest', ${alias}.digest, 'size', ${alias}.size, 'objectKey', ${alias}.object_key,
  'blockChecksums', replace(encode(${alias}.block_checksums, 'base64'), E'\\n', ''))`;

/** Rows of `registry.pack_versions v` that a selection names; parameters $1 to $6 as `selectionValues` gives them. */
const SELECTED = `v.tenant = $1
  and ($2::text[] is null or v.channel = any($2) or exists (select 1 from registry.channel_moves c
    where c.tenant = v.tenant and c.pack_id = v.pack_id and c.to_version = v.version and c.channel = any($2)))
  and ($3::text[] is null or p.type = any($3))
  and ($4::text[] is null or v.pack_id = any($4) or v.pack_id like any($5::text[]))
  and ($6::text[] is null or v.tags && $6)`;

function selectionValues(tenant: string, { channels, types, packIds, tags }: Selection): SqlValue[] {
  const exact = packIds?.filter(one => !one.endsWith('*')) ?? null;
  const prefixes = (packIds ?? []).filter(one => one.endsWith('*')).map(one => `${one.slice(0, -1).replaceAll('_', '\\_')}%`);
  return [tenant, channels ?? null, types ?? null, exact, prefixes, tags ?? null];
}

const FROM_SELECTED = `from registry.pack_versions v join registry.packs p on p.tenant = v.tenant and p.pack_id = v.pack_id`;

const SIGNATURES = 'registry.signatures';
const SIGNATURE_COLUMNS = 'tenant, pack_id, version, digest, media_type, manifest_digest';
const SIGNATURES_OF_ALL_TIME = `(select ${SIGNATURE_COLUMNS} from registry.signatures union select ${SIGNATURE_COLUMNS} from registry.retired_signatures)`;

/** Signatures and attestations that nobody verified stay here: a mirror vouches for those that it shows. */
const isVerified = (version: string, signatures = SIGNATURES): string => `(
  exists (select 1 from ${signatures} x
    where x.tenant = r.tenant and x.pack_id = r.repository and x.version = ${version}.version and x.manifest_digest = r.digest)
  or exists (select 1 from registry.pack_provenance x
    where x.tenant = r.tenant and x.pack_id = r.repository and x.version = ${version}.version and x.manifest_digest = r.digest))`;

const DOCUMENTS = [...SIGNATURE_MEDIA_TYPES, ...ATTESTATION_MEDIA_TYPES].map(type => `'${type}'`).join(', ');

/** What clients have attached that claims nothing. A mirror's state names what it shows by sha256. */
const IS_PLAIN = `(r.artifact_type not in (${DOCUMENTS}) and r.digest like 'sha256:%' and not exists (select 1 from registry.manifest_blobs e
    where e.tenant = r.tenant and e.repository = r.repository and e.manifest_digest = r.digest and e.blob_digest not like 'sha256:%'))`;

/** The page comes first and alone, so that what hangs on a version is read for its rows only. */
const selectPage = (signatures: string): string => `
  with page as materialized (
    select v.*, p.type ${FROM_SELECTED}
    where ${SELECTED} and (v.pack_id, v.sort_key) > ($7, $8)
    order by v.pack_id, v.sort_key limit ${PAGE}
  )
  select v.pack_id, v.version, v.sort_key, v.type, v.bundle_digest, v.tenant_visibility, v.published_at, v.deprecated_at, v.deprecated_by,
    v.deprecation_reason, v.replacement, v.archived_at, v.channel, v.trust_epoch, v.withdrawn_epoch, m.media_type as manifest_media_type,
    ${blobJson('mb')} as manifest, ${blobJson('cb')} as config, ${blobJson('bb')} as bundle,
    (select array_agg(h.channel order by h.channel) from registry.channel_heads h
     where h.tenant = v.tenant and h.pack_id = v.pack_id and h.version = v.version) as channels,
    (select json_agg(json_build_object(
        'manifest', ${blobJson('rb')}::jsonb || jsonb_build_object('mediaType', r.media_type, 'artifactType', r.artifact_type),
        'isSignature', exists (select 1 from ${signatures} s where s.tenant = r.tenant and s.pack_id = r.repository and s.version = v.version
          and s.manifest_digest = r.digest),
        'verification', (select json_build_object('epoch', a.trust_epoch, 'policy', pl.document,
            'predicateType', a.predicate_type, 'addedAt', to_char(a.added_at at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"')) from registry.pack_provenance a
          left join registry.policies pl on pl.tenant = a.tenant and pl.name = a.policy_name and pl.version = a.policy_version
          where a.tenant = r.tenant and a.pack_id = r.repository and a.version = v.version and a.manifest_digest = r.digest limit 1),
        'blobs', (select json_agg(${blobJson('eb')} order by eb.digest) from registry.manifest_blobs e join content.blobs eb on eb.digest = e.blob_digest
          where e.tenant = r.tenant and e.repository = r.repository and e.manifest_digest = r.digest)) order by r.digest)
     from registry.manifests r join content.blobs rb on rb.digest = r.digest
     where r.tenant = v.tenant and r.repository = v.pack_id and r.subject = v.manifest_digest
       and (${isVerified('v', signatures)} or ${IS_PLAIN})) as referrers,
    (select json_agg(json_build_object('digest', s.digest, 'mediaType', s.media_type, 'size', sb.size, 'objectKey', sb.object_key) order by s.digest)
     from ${signatures} s join content.blobs sb on sb.digest = s.digest
     where s.tenant = v.tenant and s.pack_id = v.pack_id and s.version = v.version) as signatures,
    t.trust_epoch as current_epoch, t.trust_digest, tb.size as trust_size, tb.object_key as trust_key,
    (select pl.document from registry.policies pl join registry.verdicts vd on vd.tenant = v.tenant and vd.hash = v.verdict_hash
     where pl.tenant = v.tenant and pl.name = vd.document->'policy'->>'name'
       and pl.version = (vd.document->'policy'->>'version')::int) as verdict_policy
  from page v
  join registry.manifests m on m.tenant = v.tenant and m.repository = v.pack_id and m.digest = v.manifest_digest
  join content.blobs mb on mb.digest = v.manifest_digest
  join content.blobs cb on cb.digest = v.config_digest
  join content.blobs bb on bb.digest = v.bundle_digest
  left join registry.tenants t on t.tenant = v.tenant
  left join content.blobs tb on tb.digest = t.trust_digest
  order by v.pack_id, v.sort_key`;

const SELECT_PAGE = selectPage(SIGNATURES);
const SELECT_PAGE_OF_ALL_TIME = selectPage(SIGNATURES_OF_ALL_TIME);

const SELECT_HEADS = `
  select h.pack_id as "packId", h.channel, h.version ${FROM_SELECTED}
  join registry.channel_heads h on h.tenant = v.tenant and h.pack_id = v.pack_id and h.version = v.version
  where ${SELECTED} order by h.pack_id, h.channel`;

const SELECT_SIZE = `
  with selected as materialized (select v.tenant, v.pack_id, v.version, v.manifest_digest ${FROM_SELECTED} where ${SELECTED}),
  manifests as (
    select tenant, pack_id as repository, manifest_digest as digest from selected
    union select r.tenant, r.repository, r.digest from selected s
      join registry.manifests r on r.tenant = s.tenant and r.repository = s.pack_id and r.subject = s.manifest_digest
        and (${isVerified('s')} or ${IS_PLAIN})
  ),
  digests as (
    select digest from manifests
    union select e.blob_digest from manifests m
      join registry.manifest_blobs e on e.tenant = m.tenant and e.repository = m.repository and e.manifest_digest = m.digest
  )
  select (select count(*) from selected) as versions, (select coalesce(sum(b.size), 0) from digests d join content.blobs b on b.digest = d.digest) as bytes`;

export class PostgresPackInventory extends PackInventory {
  constructor(private readonly dataSource: DataSource) {
    super();
  }

  async *versions(
    tenant: string,
    selection: Selection,
    { retired }: InventoryOptions = { retired: false },
  ): AsyncIterable<InventoryVersion> {
    const select = retired ? SELECT_PAGE_OF_ALL_TIME : SELECT_PAGE;
    const values = selectionValues(tenant, selection);
    for (let after = ['', '']; ;) {
      const rows = await readAs(this.dataSource, tenant, sql => sql.query<VersionRow>(select, [...values, ...after]));
      for (const row of rows) yield toInventoryVersion(tenant, row);
      const last = rows.at(-1);
      if (!last || rows.length < PAGE) return;
      after = [last.pack_id, last.sort_key];
    }
  }

  heads(tenant: string, selection: Selection): Promise<InventoryHead[]> {
    return readAs(this.dataSource, tenant, sql => sql.query<InventoryHead>(SELECT_HEADS, selectionValues(tenant, selection)));
  }

  async includes(tenant: string, selection: Selection, packId: string, version: string): Promise<boolean> {
    const rows = await readAs(this.dataSource, tenant, sql =>
      sql.query(`select 1 ${FROM_SELECTED} where ${SELECTED} and v.pack_id = $7 and v.version = $8`, [
        ...selectionValues(tenant, selection),
        packId,
        version,
      ]),
    );
    return rows.length > 0;
  }

  async size(tenant: string, selection: Selection): Promise<{ versions: number; bytes: number }> {
    const [row] = await readAs(this.dataSource, tenant, sql =>
      sql.query<{ versions: string; bytes: string }>(SELECT_SIZE, selectionValues(tenant, selection)),
    );
    return { versions: Number(row?.versions ?? 0), bytes: Number(row?.bytes ?? 0) };
  }
}

function toInventoryVersion(tenant: string, row: VersionRow): InventoryVersion {
  return {
    tenant,
    packId: row.pack_id,
    version: row.version,
    type: row.type,
    channels: row.channels ?? [],
    lifecycle: row.archived_at ? 'archived' : row.deprecated_at ? 'deprecated' : 'active',
    deprecation: row.deprecated_at && {
      at: row.deprecated_at.toISOString(),
      by: row.deprecated_by ?? '',
      reason: row.deprecation_reason,
      replacement: row.replacement,
    },
    digest: row.bundle_digest,
    manifest: { ...row.manifest, mediaType: row.manifest_media_type },
    blobs: [
      { ...row.config, mediaType: MEDIA_TYPES.packConfig },
      { ...row.bundle, mediaType: MEDIA_TYPES.packBundle },
    ],
    referrers: (row.referrers ?? []).map(toReferrer),
    visibility: row.tenant_visibility,
    publishedAt: row.published_at.toISOString(),
    verification: verificationOf(row),
  };
}

const EMPTY = sha256(EMPTY_JSON);

/** What a signature or attestation holds has the referrer's own type: its manifest is made so. Of any other its manifest alone tells. */
function toReferrer({ manifest, isSignature, verification, blobs }: NonNullable<VersionRow['referrers']>[number]): InventoryReferrer {
  const kind = isSignature ? 'signature' : verification ? 'attestation' : 'referrer';
  const type = kind === 'referrer' ? 'application/octet-stream' : manifest.artifactType;
  const held: InventoryBlob[] = (blobs ?? []).map(blob => ({ ...blob, mediaType: blob.digest === EMPTY ? MEDIA_TYPES.ociEmpty : type }));
  return { manifest, blobs: held, kind, verification };
}

function verificationOf(row: VersionRow): InventoryVerification {
  const { trust_digest: digest, trust_key: objectKey } = row;
  return {
    epoch: Number(row.trust_epoch),
    ...(row.withdrawn_epoch !== null && { withdrawnEpoch: Number(row.withdrawn_epoch) }),
    channel: row.channel,
    policy: row.verdict_policy,
    signatures: row.signatures ?? [],
    trust: {
      epoch: Number(row.current_epoch ?? 0),
      digest: digest ?? NO_TRUST,
      material: digest && objectKey ? { digest, size: Number(row.trust_size), objectKey } : null,
    },
  };
}
