import { versionSortKey } from '@packs/domain';
import { CoverageStore, type CoverageFact, type FactSource } from '@packs/ports';
import type { Sql, SqlValue } from '../transaction';

type FactOf<Kind extends CoverageFact['kind']> = Extract<CoverageFact, { kind: Kind }>;
type Statement = readonly [text: string, values: readonly SqlValue[]];

/** Of two events about one row, the later one is named; which of them arrives first makes no difference. */
const NEWEST = `updated_at = greatest(row.updated_at, excluded.updated_at),
  updated_by = case when (excluded.updated_at, excluded.updated_by) > (row.updated_at, row.updated_by) then excluded.updated_by else row.updated_by end`;

export class PostgresCoverageStore extends CoverageStore {
  constructor(private readonly sql: Sql) {
    super();
  }

  async add(tenant: string, fact: CoverageFact, source: FactSource): Promise<void> {
    await this.sql.query(...statementOf(tenant, fact, source));
  }
}

function statementOf(tenant: string, fact: CoverageFact, source: FactSource): Statement {
  switch (fact.kind) {
    case 'published':
      return published(tenant, fact, source);
    case 'retired':
      return retired(tenant, fact, source);
    case 'head':
      return head(tenant, fact, source);
    case 'attested':
      return attested(tenant, fact, source);
    case 'trust':
      return trust(tenant, fact, source);
  }
}

function published(tenant: string, fact: FactOf<'published'>, { eventId, at }: FactSource): Statement {
  return [
    `insert into compliance.version_coverage as row
       (tenant, pack_id, version, pack_type, published_at, signers, signatures, updated_at, updated_by)
     values ($1, $2, $3, $4, $5, $6, $7, $8, $9)
     on conflict (tenant, pack_id, version) do update set pack_type = excluded.pack_type, published_at = excluded.published_at,
       signers = excluded.signers, signatures = excluded.signatures, ${NEWEST}`,
    [tenant, fact.packId, fact.version, fact.packType, fact.publishedAt, fact.signers.toSorted(), fact.signatures, at, eventId],
  ];
}

function retired(tenant: string, fact: FactOf<'retired'>, { eventId, at }: FactSource): Statement {
  return [
    `insert into compliance.version_coverage as row (tenant, pack_id, version, deprecated_at, archived_at, updated_at, updated_by)
     values ($1, $2, $3, $4, $5, $6, $7)
     on conflict (tenant, pack_id, version) do update set deprecated_at = least(row.deprecated_at, excluded.deprecated_at),
       archived_at = least(row.archived_at, excluded.archived_at), ${NEWEST}`,
    [tenant, fact.packId, fact.version, fact.deprecatedAt, fact.archivedAt, at, eventId],
  ];
}

function head(tenant: string, fact: FactOf<'head'>, { eventId, at }: FactSource): Statement {
  return [
    `insert into compliance.channel_coverage as row (tenant, pack_id, channel, version, sort_key, moved_at, moved_by_event)
     values ($1, $2, $3, $4, $5, $6, $7)
     on conflict (tenant, pack_id, channel) do update
       set version = excluded.version, sort_key = excluded.sort_key, moved_at = excluded.moved_at, moved_by_event = excluded.moved_by_event
       where excluded.sort_key > row.sort_key`,
    [tenant, fact.packId, fact.channel, fact.version, versionSortKey(fact.version), at, eventId],
  ];
}

function attested(tenant: string, fact: FactOf<'attested'>, { eventId, at }: FactSource): Statement {
  return [
    `insert into compliance.attestation_coverage (tenant, pack_id, version, digest, predicate_type, signers, added_at, added_by_event)
     values ($1, $2, $3, $4, $5, $6, $7, $8) on conflict do nothing`,
    [tenant, fact.packId, fact.version, fact.digest, fact.predicateType, fact.signers.toSorted(), at, eventId],
  ];
}

function trust(tenant: string, fact: FactOf<'trust'>, { eventId, at }: FactSource): Statement {
  return [
    `insert into compliance.trust_coverage as row (tenant, epoch, key_ids, updated_at, updated_by_event) values ($1, $2, $3, $4, $5)
     on conflict (tenant) do update set epoch = excluded.epoch, key_ids = excluded.key_ids, updated_at = excluded.updated_at,
       updated_by_event = excluded.updated_by_event
       where excluded.epoch > row.epoch`,
    [tenant, fact.epoch, fact.keyIds.toSorted(), at, eventId],
  ];
}
