import type { ComplianceQuery, ComplianceSummary, Coverage } from '@packs/contracts';
import type { PackType } from '@packs/domain';
import { ComplianceReadModel } from '@packs/ports';
import type { DataSource } from 'typeorm';
import { readAs } from '../transaction';

interface ScopeRow {
  scope: 'totals' | 'type' | 'channel';
  key: string;
  packs: number;
  versions: number;
  unattested_packs: number;
  attested: number;
  signed: number;
  untrusted: number;
  unsigned: number;
  not_scanned: number;
  partly_scanned: number;
  active: number;
  deprecated: number;
  archived: number;
  predicates: { type: string; versions: number }[] | null;
}

/**
 * Each version once in the totals, once in its type and once in each channel that points at it. A key counts while the tenant trusts it.
 * Parameters: tenant, channel, type.
 */
const SCOPES = `
  with trust as (
    select coalesce((select key_ids from compliance.trust_coverage where tenant = $1), '{}') as key_ids,
      coalesce((select epoch from compliance.trust_coverage where tenant = $1), 0) as epoch
  ), shown as materialized (
    select v.pack_id, v.version, v.pack_type, v.scan_state,
      case when v.archived_at is not null then 'archived' when v.deprecated_at is not null then 'deprecated' else 'active' end as lifecycle,
      case when v.signers && t.key_ids then 'signed' when v.signatures > 0 then 'untrusted' else 'unsigned' end as signature,
      (select array_agg(distinct a.predicate_type) from compliance.attestation_coverage a
       where a.tenant = $1 and a.pack_id = v.pack_id and a.version = v.version and a.signers && t.key_ids
         -- What was found provisional under earlier trust is looked at again soon; until then its signers speak for it.
         and (a.state = 'verified' or a.state = 'provisional' and a.state_epoch < t.epoch)) as predicates
    from compliance.version_coverage v cross join trust t
    where v.tenant = $1 and v.pack_type is not null and ($3::text is null or v.pack_type = $3)
      and ($2::text is null or exists (select 1 from compliance.channel_coverage c
        where c.tenant = $1 and c.pack_id = v.pack_id and c.version = v.version and c.channel = $2))
  ), scoped as (
    select 'totals' as scope, '' as key, s.* from shown s
    union all select 'type', s.pack_type, s.* from shown s
    union all select 'channel', c.channel, s.* from shown s
      join compliance.channel_coverage c on c.tenant = $1 and c.pack_id = s.pack_id and c.version = s.version
  ), predicates as (
    select scope, key, jsonb_agg(jsonb_build_object('type', type, 'versions', versions) order by type) as predicates
    from (select scope, key, type, count(*) as versions from scoped, unnest(predicates) type group by scope, key, type) counted
    group by scope, key
  )
  select scope, key, count(distinct pack_id)::int as packs, count(*)::int as versions,
    (count(distinct pack_id) filter (where s.predicates is null))::int as unattested_packs,
    (count(*) filter (where s.predicates is not null))::int as attested,
    (count(*) filter (where signature = 'signed'))::int as signed,
    (count(*) filter (where signature = 'untrusted'))::int as untrusted,
    (count(*) filter (where signature = 'unsigned'))::int as unsigned,
    (count(*) filter (where scan_state = 'not-scanned'))::int as not_scanned,
    (count(*) filter (where scan_state = 'partly-scanned'))::int as partly_scanned,
    (count(*) filter (where lifecycle = 'active'))::int as active,
    (count(*) filter (where lifecycle = 'deprecated'))::int as deprecated,
    (count(*) filter (where lifecycle = 'archived'))::int as archived,
    p.predicates
  from scoped s left join predicates p using (scope, key)
  group by scope, key, p.predicates order by scope, key collate "C"`;

const AS_OF = `
  select max(at) as at from (
    select max(updated_at) as at from compliance.version_coverage where tenant = $1
    union all select max(added_at) from compliance.attestation_coverage where tenant = $1
    union all select max(moved_at) from compliance.channel_coverage where tenant = $1
    union all select max(updated_at) from compliance.trust_coverage where tenant = $1
  ) newest`;

export class PostgresComplianceReadModel extends ComplianceReadModel {
  constructor(private readonly dataSource: DataSource) {
    super();
  }

  summary(tenant: string, { channel, type }: ComplianceQuery): Promise<ComplianceSummary> {
    return readAs(this.dataSource, tenant, async sql => {
      const [newest] = await sql.query<{ at: Date | null }>(AS_OF, [tenant]);
      const rows = await sql.query<ScopeRow>(SCOPES, [tenant, channel ?? null, type ?? null]);
      const of = (scope: ScopeRow['scope']): ScopeRow[] => rows.filter(row => row.scope === scope);
      return {
        tenant,
        asOf: newest?.at?.toISOString() ?? null,
        totals: toCoverage(of('totals')[0]),
        byType: of('type').map(row => ({ type: row.key as PackType, ...toCoverage(row) })),
        byChannel: of('channel').map(row => ({ channel: row.key, ...toCoverage(row) })),
      };
    });
  }
}

function toCoverage(row: ScopeRow | undefined): Coverage {
  const versions = row?.versions ?? 0;
  const percent = (part: number): number | null => (versions === 0 ? null : Math.round((part / versions) * 1000) / 10);
  const { packs = 0, unattested_packs = 0, attested = 0, signed = 0, untrusted = 0, unsigned = 0 } = row ?? {};
  return {
    packs,
    versions,
    attestations: {
      packs: packs - unattested_packs,
      versions: attested,
      percent: percent(attested),
      byPredicateType: (row?.predicates ?? []).map(({ type, versions: n }) => ({ predicateType: type, versions: n, percent: percent(n) })),
    },
    signatures: { signed, untrusted, unsigned, percent: percent(signed) },
    scans: scansOf(versions, row),
    lifecycle: { active: row?.active ?? 0, deprecated: row?.deprecated ?? 0, archived: row?.archived ?? 0 },
  };
}

function scansOf(versions: number, row: Pick<ScopeRow, 'not_scanned' | 'partly_scanned'> | undefined): Coverage['scans'] {
  const { not_scanned: notScanned = 0, partly_scanned: partlyScanned = 0 } = row ?? {};
  return { scanned: versions - partlyScanned - notScanned, partlyScanned, notScanned };
}
