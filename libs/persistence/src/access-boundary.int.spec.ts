import { Client } from 'pg';
import { SpecDatabase } from './persistence.fixture';
import type { LOGIN_ROLES } from './roles';

type Process = keyof typeof LOGIN_ROLES | 'auditor';

/** What a role may do with a table; an update by its columns. */
interface Access {
  readonly select?: true;
  readonly insert?: true;
  readonly update?: readonly string[];
  readonly delete?: true;
}

const READ: Access = { select: true };
const ADD: Access = { select: true, insert: true };

/** What is copied and compared, and the record of events. */
const READS_OF_WORKERS: Readonly<Record<string, Access>> = {
  'registry.packs': READ,
  'registry.repositories': READ,
  'registry.manifests': READ,
  'registry.manifest_blobs': READ,
  'registry.verdicts': READ,
  'registry.pack_versions': READ,
  'registry.signatures': READ,
  'registry.channel_heads': READ,
  'registry.channel_moves': READ,
  'registry.tenants': READ,
  'registry.policies': READ,
  'registry.pack_provenance': READ,
  'registry.outbox': READ,
};

/** Rows that can be made anew from events, or are of use for a while only. */
const PROJECT: Access = { ...ADD, delete: true };

/** Architecture §2, table by table. What is not here is refused: every truncate, every delete but of projections, and every other table. */
const ALLOWED: Readonly<Record<Process, Readonly<Record<string, Access>>>> = {
  'api-gateway': {
    'content.blobs': ADD,
    'content.repository_blobs': ADD,
    'gateway.dpop_proofs': PROJECT,
    'gateway.uploads': { ...PROJECT, update: ['lease_owner', 'lease_until', 'touched_at', 'upload'] },
    'registry.namespace_policies': READ,
    'registry.scan_settings': READ,
    'registry.verdict_evidence': READ,
    'registry.repositories': READ,
    'registry.manifests': READ,
    'registry.manifest_blobs': READ,
    'registry.tags': READ,
    'registry.pending_versions': READ,
    'registry.packs': READ,
    'registry.pack_versions': READ,
    'registry.verdicts': READ,
    'registry.signatures': READ,
    'registry.signature_rotations': READ,
    'registry.retired_signatures': READ,
    'registry.reverifications': READ,
    'registry.channel_heads': READ,
    'registry.channels': READ,
    'registry.channel_moves': READ,
    'registry.tenants': READ,
    'registry.policies': READ,
    'registry.pack_provenance': READ,
    'registry.attestation_states': READ,
    'registry.provisional_attestations': READ,
    'registry.seals': READ,
    'mirror.mirrors': READ,
    'mirror.jobs': READ,
    'mirror.kit_jobs': READ,
    'registry.exporters': READ,
    'registry.trust_bundles': READ,
    'parity.comparisons': READ,
    'parity.parity_matrix': READ,
    'parity.mirrors': READ,
    'compliance.audit_log': READ,
    'compliance.audit_heads': READ,
    'compliance.version_coverage': READ,
    'compliance.attestation_coverage': READ,
    'compliance.channel_coverage': READ,
    'compliance.trust_coverage': READ,
  },
  publisher: {
    'content.blobs': { ...ADD, update: ['block_checksums', 'object_key', 'quarantine_reason', 'quarantined_at'] },
    'content.scrubs': {
      ...ADD,
      update: [
        ...[
          'bytes',
          'cursor',
          'damaged',
          'digests',
          'examined',
          'finished_at',
          'lease_owner',
          'lease_until',
          'started_at',
          'state',
          'unreadable',
        ],
      ],
    },
    'registry.packs': { ...ADD, update: ['created_at'] },
    'content.repository_blobs': PROJECT,
    'registry.repositories': { ...ADD, update: ['created_at'] },
    // Foreign keys hold whatever a version needs.
    'registry.manifests': PROJECT,
    'registry.manifest_blobs': PROJECT,
    'registry.tags': { ...PROJECT, update: ['manifest_digest', 'updated_at', 'updated_by'] },
    'registry.pending_versions': PROJECT,
    'registry.verdicts': ADD,
    'registry.verdict_evidence': ADD,
    'registry.pack_versions': {
      ...ADD,
      update: [
        ...['archive_reason', 'archived_at', 'archived_by', 'deprecated_at', 'deprecated_by', 'deprecation_reason', 'replacement'],
        ...['standing_changes', 'trust_epoch', 'withdrawal_reasons', 'withdrawal_verdict', 'withdrawn_at', 'withdrawn_epoch'],
      ],
    },
    // A trigger holds whatever is not in the history.
    'registry.signatures': PROJECT,
    'registry.signature_rotations': ADD,
    'registry.retired_signatures': ADD,
    'registry.reverifications': {
      ...ADD,
      update: [
        ...['attempts', 'cause', 'epoch', 'examined', 'failed', 'finished_at', 'lease_owner', 'lease_until', 'pack_id', 'requested_at'],
        ...['requested_by', 'restored', 'started_at', 'state', 'version', 'withdrawn'],
      ],
    },
    'registry.pack_provenance': { ...ADD, update: ['assessed_epoch', 'state', 'state_reason'] },
    'registry.attestation_states': ADD,
    'registry.provisional_attestations': { ...PROJECT, update: ['basis', 'reason', 'verdict_hash'] },
    'registry.assessments_due': { select: true, delete: true },
    'registry.exporters': { ...ADD, update: ['digest', 'updated_at', 'updated_by'] },
    'registry.imported_kits': ADD,
    'registry.seals': { ...ADD, update: ['changed_by', 'reason', 'sealed', 'since', 'unseal_request'] },
    'registry.channel_heads': { ...ADD, update: ['moved_at', 'moved_by', 'version'] },
    'registry.channels': { ...ADD, update: ['description'] },
    'registry.channel_moves': ADD,
    'registry.tenants': { ...ADD, update: ['share_with', 'trust_digest', 'trust_epoch'] },
    'registry.trust_bundles': ADD,
    'registry.trust_watches': { ...ADD, update: ['changed_at', 'check_at', 'compared', 'findings'] },
    'registry.policies': { ...ADD, update: ['active'] },
    'registry.namespace_policies': { ...ADD, update: ['public_read', 'pull_by_digest_only', 'updated_at', 'updated_by'] },
    'registry.scan_settings': { ...ADD, update: ['malware', 'secrets', 'updated_at', 'updated_by'] },
    'registry.idempotency_keys': ADD,
    'registry.outbox': { ...ADD, update: ['sent_at'] },
  },
  'mirror-worker': {
    'content.blobs': ADD,
    'content.repository_blobs': ADD,
    ...READS_OF_WORKERS,
    'registry.signature_rotations': READ,
    'registry.retired_signatures': READ,
    'registry.tags': READ,
    'registry.pending_versions': READ,
    'registry.seals': READ,
    'mirror.mirrors': {
      ...PROJECT,
      update: [
        ...['enabled', 'interval_seconds', 'kind', 'location', 'name', 'needs_verify', 'next_run_at', 'pending_since'],
        ...['pull', 'selection', 'seq', 'state_digest', 'synced_at', 'updated_at', 'updated_by'],
      ],
    },
    'mirror.jobs': {
      ...ADD,
      update: [
        ...[
          'attempts',
          'bytes',
          'changed_since',
          'copied_bytes',
          'error_code',
          'error_message',
          'finished_at',
          'lease_owner',
          'lease_until',
        ],
        ...['repaired', 'skipped', 'skipped_versions', 'started_at', 'state', 'total_bytes', 'total_versions', 'verify', 'versions'],
      ],
    },
    'registry.exporters': READ,
    'registry.imported_kits': READ,
    'compliance.audit_log': READ,
    'compliance.audit_heads': READ,
    'mirror.kit_jobs': {
      ...ADD,
      update: [
        ...['attempts', 'done_bytes', 'error', 'finished_at', 'generation', 'kit_digest', 'lease_owner', 'lease_until', 'report', 'result'],
        ...['signature_digest', 'started_at', 'state', 'to_clear', 'total_bytes'],
      ],
    },
    'mirror.kit_staging': PROJECT,
    'mirror.copies': { ...PROJECT, update: ['digest', 'proven_at', 'size'] },
    'mirror.repairs': {
      ...ADD,
      update: ['asked_at', 'attempts', 'error_code', 'finished_at', 'lease_owner', 'lease_until', 'size', 'state'],
    },
    'mirror.inbox': ADD,
    'mirror.dead_letters': { ...ADD, update: ['replayed_at'] },
    'mirror.outbox': { ...ADD, update: ['sent_at'] },
    'parity.outbox': READ,
  },
  'parity-worker': {
    'content.blobs': READ,
    ...READS_OF_WORKERS,
    'registry.seals': READ,
    'mirror.mirrors': READ,
    'mirror.jobs': READ,
    'mirror.copies': READ,
    'parity.comparisons': {
      ...PROJECT,
      update: [
        'attempt_at',
        'attempts',
        'counts',
        'depth',
        'error_code',
        'error_message',
        'finished_at',
        'hashed_bytes',
        'lease_owner',
        'lease_until',
        'started_at',
        'state',
        'total_versions',
        'versions',
      ],
    },
    'parity.findings': PROJECT,
    'parity.parity_matrix': { ...PROJECT, update: ['by_bytes', 'changed_at', 'checked_at', 'comparison_id', 'path', 'proof', 'state'] },
    'parity.mirrors': {
      ...PROJECT,
      update: [
        'announced',
        'announced_seq',
        'bytes_checked_at',
        'checked_at',
        'comparison_id',
        'depth',
        'error_code',
        'error_message',
        'in_step',
        'pending_since',
        'pending_told_at',
      ],
    },
    'parity.inbox': ADD,
    'parity.dead_letters': { ...ADD, update: ['replayed_at'] },
    'parity.outbox': { ...ADD, update: ['sent_at'] },
    'mirror.outbox': READ,
  },
  compliance: {
    'registry.outbox': READ,
    'mirror.outbox': READ,
    'parity.outbox': READ,
    'compliance.audit_log': ADD,
    'compliance.audit_heads': { ...ADD, update: ['seq'] },
    'compliance.version_coverage': {
      ...PROJECT,
      update: [
        'archived_at',
        'deprecated_at',
        'pack_type',
        'published_at',
        'scan_state',
        'signatures',
        'signers',
        'updated_at',
        'updated_by',
      ],
    },
    'compliance.attestation_coverage': { ...PROJECT, update: ['added_at', 'added_by_event', 'state', 'state_epoch', 'state_seq'] },
    'compliance.channel_coverage': { ...PROJECT, update: ['moved_at', 'moved_by_event', 'sort_key', 'version'] },
    'compliance.trust_coverage': { ...PROJECT, update: ['epoch', 'key_ids', 'updated_at', 'updated_by_event'] },
    'compliance.inbox': PROJECT,
    'compliance.dead_letters': { ...ADD, update: ['replayed_at'] },
  },
  // Whoever runs verdicts again.
  auditor: {
    'content.blobs': READ,
    'registry.verdicts': READ,
    'registry.policies': READ,
    'registry.pack_versions': READ,
  },
};

const PROCESSES = Object.keys(ALLOWED) as Process[];
const REFUSED = '42501';

/** The server's answer: undefined when it does it. Rolled back in any case. */
async function codeOf(client: Client, statement: string): Promise<string | undefined> {
  await client.query('begin');
  try {
    await client.query(statement);
    return undefined;
  } catch (error) {
    return (error as { code?: string }).code;
  } finally {
    await client.query('rollback');
  }
}

describe('access to tables', () => {
  let db: SpecDatabase;
  let columns: ReadonlyMap<string, readonly string[]>;
  beforeAll(async () => {
    db = await SpecDatabase.open();
    const { rows } = await (
      await db.client()
    ).query<{ name: string; columns: string[] }>(
      `select table_schema || '.' || table_name as name, array_agg(column_name::text order by column_name) as columns
       from information_schema.columns where table_schema not in ('pg_catalog', 'information_schema') group by 1`,
    );
    columns = new Map(rows.map(row => [row.name, row.columns]));
  });
  afterAll(() => db.close());

  it('is listed for tables that exist', () => {
    const named = Object.values(ALLOWED).flatMap(Object.keys);
    expect(named.filter(name => !columns.has(name))).toEqual([]);
    expect(columns.size).toBeGreaterThan(15);
  });

  it.each(PROCESSES)('of %s is what the architecture gives it, and no more', async process => {
    const client = await db.client(process);
    const found: Record<string, unknown> = {};
    for (const [table, names] of columns) {
      // `explain` checks permissions and does nothing.
      const may = async (statement: string) => {
        const code = await codeOf(client, statement);
        expect([undefined, REFUSED]).toContain(code);
        return code === undefined;
      };
      const update: string[] = [];
      for (const column of names) if (await may(`explain update ${table} set ${column} = default`)) update.push(column);
      const access = {
        ...((await may(`explain select from ${table}`)) && { select: true }),
        ...((await may(`explain insert into ${table} default values`)) && { insert: true }),
        ...(update.length > 0 && { update }),
        ...((await may(`explain delete from ${table}`)) && { delete: true }),
        ...((await may(`truncate ${table}`)) && { truncate: true }),
      };
      if (Object.keys(access).length > 0) found[table] = access;
    }
    expect(found).toEqual(ALLOWED[process]);
  });

  it.each(PROCESSES)('of %s cannot be widened by itself', async process => {
    const client = await db.client(process);
    for (const statement of [
      'create table registry.mine ()',
      'create table public.mine ()',
      'create temporary table mine ()',
      'create schema mine',
      'create role mine',
      'set role packs_migrate',
      'set session authorization postgres',
      'alter role current_user bypassrls',
      'alter table registry.pack_versions disable row level security',
      'alter table compliance.audit_log no force row level security',
      'drop policy own on registry.pack_versions',
      'drop table compliance.audit_log',
      'create or replace function registry.current_tenant() returns text language sql as $$ select $1::text $$',
      "copy (select 1) to program 'true'",
      "select pg_read_file('postgresql.conf')",
      'create extension dblink',
    ]) {
      expect([statement, await codeOf(client, statement)]).toEqual([statement, REFUSED]);
    }
  });

  it.each(PROCESSES)('of %s cannot be had by switching row-level security off', async process => {
    const client = await db.client(process);
    const table = process === 'compliance' ? 'compliance.audit_log' : 'registry.pack_versions';
    expect(await codeOf(client, `set local row_security = off; select 1 from ${table}`)).toBe(REFUSED);
  });

  it('needs the password', async () => {
    const url = new URL(db.database.urlOf('publisher'));
    url.password = 'wrong';
    await expect(new Client({ connectionString: url.href }).connect()).rejects.toMatchObject({ code: '28P01' });
  });
});
