import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import type { Registry } from './registry';

/** Every table that has rows of a tenant. */
const TABLES = [
  'registry.packs',
  'registry.pack_versions',
  'registry.manifests',
  'registry.manifest_blobs',
  'registry.signatures',
  'registry.channel_heads',
  'registry.tenants',
  'registry.policies',
  'registry.idempotency_keys',
  'registry.verdicts',
  'registry.outbox',
  'compliance.audit_log',
  'compliance.dead_letters',
] as const;

type Counts = Readonly<Record<(typeof TABLES)[number] | 'content.blobs' | 'objects', number>>;

/** Rows of a tenant by table; the blobs and the objects on disk are everybody's. */
export async function rowsOf(registry: Registry, tenant: string): Promise<Counts> {
  const counts = [...TABLES.map(table => `select '${table}' as name, count(*)::int from ${table} where tenant = $1`)];
  const rows = await registry.sql<{ name: keyof Counts; count: number }>(
    [...counts, `select 'content.blobs', count(*)::int from content.blobs`].join(' union all '),
    [tenant],
  );
  const objects = readdirSync(join(registry.facts.dataDir, 'blobs'), { recursive: true, withFileTypes: true }).filter(entry =>
    entry.isFile(),
  );
  return { ...(Object.fromEntries(rows.map(({ name, count }) => [name, count])) as Counts), objects: objects.length };
}

/** Waits until the audit log has what the tenant's outbox says happened. */
export async function auditSettled(registry: Registry, tenant: string): Promise<void> {
  const { 'registry.outbox': events, 'compliance.audit_log': entries } = await rowsOf(registry, tenant);
  if (events !== entries) throw new Error(`${events} events, ${entries} audit entries`);
}
