import { versionSortKey } from '@packs/domain';
import { CoverageStore, type CoverageFact, type FactSource, type SourcedFact } from '@packs/ports';
import type { Sql, SqlValue } from '../transaction';

type FactOf<Kind extends CoverageFact['kind']> = Extract<CoverageFact, { kind: Kind }>;
interface Sourced<Kind extends CoverageFact['kind']> {
  readonly fact: FactOf<Kind>;
  readonly source: FactSource;
}
type Statement = readonly [text: string, values: readonly SqlValue[]];

/** Of two events about one row, the later one is named; which of them arrives first makes no difference. */
const NEWEST = `updated_at = greatest(row.updated_at, excluded.updated_at),
  updated_by = case when (excluded.updated_at, excluded.updated_by) > (row.updated_at, row.updated_by) then excluded.updated_by else row.updated_by end`;

export class PostgresCoverageStore extends CoverageStore {
  constructor(private readonly sql: Sql) {
    super();
  }

  async add(tenant: string, facts: readonly SourcedFact[]): Promise<void> {
    for (const statement of statementsOf(tenant, facts)) await this.sql.query(...statement);
  }
}

/**
 * One statement for all publishes and one for all heads, of which there are many, then one for each other fact: the order of facts makes no
 * difference. One statement changes a row once, so that of two facts about one row it has one.
 */
function statementsOf(tenant: string, facts: readonly SourcedFact[]): Statement[] {
  const publishes = new Map<string, Sourced<'published'>>();
  const heads = new Map<string, Sourced<'head'>>();
  const others: Statement[] = [];
  for (const { fact, source } of facts) {
    if (fact.kind === 'published') {
      const key = `${fact.packId}@${fact.version}`;
      if (publishes.has(key)) others.push(published(tenant, [{ fact, source }]));
      else publishes.set(key, { fact, source });
    } else if (fact.kind === 'head') {
      const key = `${fact.packId}@${fact.channel}`;
      const other = heads.get(key);
      if (!other || versionSortKey(fact.version) > versionSortKey(other.fact.version)) heads.set(key, { fact, source });
    } else others.push(statementOf(tenant, fact, source));
  }
  if (heads.size > 0) others.unshift(moved(tenant, [...heads.values()]));
  if (publishes.size > 0) others.unshift(published(tenant, [...publishes.values()]));
  return others;
}

function statementOf(tenant: string, fact: FactOf<'retired' | 'attested' | 'reassessed' | 'trust'>, source: FactSource): Statement {
  switch (fact.kind) {
    case 'retired':
      return retired(tenant, fact, source);
    case 'attested':
      return attested(tenant, { ...fact, state: 'verified', seq: 0, epoch: null }, source);
    case 'reassessed':
      return attested(tenant, fact, source);
    case 'trust':
      return trust(tenant, fact, source);
  }
}

function published(tenant: string, facts: readonly Sourced<'published'>[]): Statement {
  const rows = facts.map(({ fact, source }) => ({
    pack_id: fact.packId,
    version: fact.version,
    pack_type: fact.packType,
    published_at: fact.publishedAt,
    signers: fact.signers.toSorted(),
    signatures: fact.signatures,
    scan_state: fact.scanState,
    at: source.at,
    by: source.eventId,
  }));
  return [
    `insert into compliance.version_coverage as row
       (tenant, pack_id, version, pack_type, published_at, signers, signatures, scan_state, updated_at, updated_by)
     select $1, * from jsonb_to_recordset($2::jsonb) as f(pack_id text, version text, pack_type text, published_at timestamptz,
       signers text[], signatures integer, scan_state text, at timestamptz, by text)
     on conflict (tenant, pack_id, version) do update set pack_type = excluded.pack_type, published_at = excluded.published_at,
       signers = excluded.signers, signatures = excluded.signatures, scan_state = excluded.scan_state, ${NEWEST}`,
    [tenant, JSON.stringify(rows)],
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

function moved(tenant: string, facts: readonly Sourced<'head'>[]): Statement {
  const rows = facts.map(({ fact, source }) => ({
    pack_id: fact.packId,
    channel: fact.channel,
    version: fact.version,
    sort_key: versionSortKey(fact.version),
    at: source.at,
    by: source.eventId,
  }));
  return [
    `insert into compliance.channel_coverage as row (tenant, pack_id, channel, version, sort_key, moved_at, moved_by_event)
     select $1, * from jsonb_to_recordset($2::jsonb) as f(pack_id text, channel text, version text, sort_key text, at timestamptz, by text)
     on conflict (tenant, pack_id, channel) do update
       set version = excluded.version, sort_key = excluded.sort_key, moved_at = excluded.moved_at, moved_by_event = excluded.moved_by_event
       where excluded.sort_key > row.sort_key`,
    [tenant, JSON.stringify(rows)],
  ];
}

/** The first event about an attestation is that it was added; of its states the last one stays, whichever arrives first. */
function attested(tenant: string, fact: Omit<FactOf<'reassessed'>, 'kind'>, { eventId, at }: FactSource): Statement {
  return [
    `insert into compliance.attestation_coverage as row
       (tenant, pack_id, version, digest, predicate_type, signers, state, state_seq, state_epoch, added_at, added_by_event)
     values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)
     on conflict (tenant, pack_id, version, digest) do update set
       state = case when excluded.state_seq > row.state_seq then excluded.state else row.state end,
       state_epoch = case when excluded.state_seq > row.state_seq then excluded.state_epoch else row.state_epoch end,
       added_at = least(row.added_at, excluded.added_at),
       added_by_event = case when (excluded.added_at, excluded.state_seq) < (row.added_at, row.state_seq) then excluded.added_by_event else row.added_by_event end,
       state_seq = greatest(row.state_seq, excluded.state_seq)`,
    [
      ...[tenant, fact.packId, fact.version, fact.digest, fact.predicateType],
      ...[fact.signers.toSorted(), fact.state, fact.seq, fact.epoch, at, eventId],
    ],
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
