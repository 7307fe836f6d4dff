import { createHash } from 'node:crypto';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import type { AuditEntryView, PackList, VersionList, VersionView } from '@packs/contracts';
import { eventually } from '@packs/testing';
import canonicalize from 'canonicalize';
import type { Caller } from './caller';
import { digestOf } from './pack-bundle';
import type { LoggedPublish } from './publishing-client';
import type { Registry } from './registry';

const SETTLED_WITHIN_MS = 30_000;

/** SHA-256(0x00 ‖ RFC 8785 JSON of the entry), as RFC 6962 hashes leaves. */
export function leafHashOf({ leafHash: _, ...entry }: AuditEntryView): string {
  return createHash('sha256')
    .update(Buffer.of(0))
    .update(canonicalize(entry) ?? '')
    .digest('hex');
}

/** Every version a tenant can see. */
export async function allVersions(reader: Caller): Promise<readonly VersionView[]> {
  const { packs } = (await reader.get<PackList>('/api/packs', { limit: 200 })).body;
  const versions: VersionView[] = [];
  for (const { packId } of packs) {
    for (let cursor: string | null = ''; cursor !== null;) {
      const query: Record<string, string | number> = cursor === '' ? { limit: 200 } : { limit: 200, cursor };
      const page: VersionList = (await reader.get<VersionList>(`/api/packs/${packId}/versions`, query)).body;
      versions.push(...page.versions);
      cursor = page.next;
    }
  }
  return versions;
}

/** I1: whatever was acknowledged is there, with its bytes, under the digests that were told. */
export async function expectKept(reader: Caller, log: readonly LoggedPublish[]): Promise<void> {
  for (const { bundle, acknowledged } of log) {
    if (!acknowledged) continue;
    const { packId, version, digest } = bundle;
    const { status, body } = await reader.version(packId, version);
    expect({ packId, version, status, digest: body.digest, manifestDigest: body.manifestDigest, verdict: body.verdict?.hash }).toEqual({
      packId,
      version,
      status: 200,
      digest,
      manifestDigest: acknowledged.manifestDigest,
      verdict: acknowledged.verdict,
    });
    expect(digestOf((await reader.bundle(packId, version)).bytes)).toBe(digest);
  }
}

/** I2: what was not acknowledged is there as a whole or not at all. Returns those that are there. */
export async function wholeAmong(reader: Caller, log: readonly LoggedPublish[]): Promise<readonly LoggedPublish[]> {
  const there: LoggedPublish[] = [];
  for (const entry of log.filter(({ acknowledged }) => !acknowledged)) {
    const { packId, version, digest } = entry.bundle;
    const paths = ['', '/signatures', '/bundle'].map(part => `/api/packs/${packId}/versions/${version}${part}`);
    const answers = await Promise.all(paths.map(path => reader.get(path)));
    const statuses = answers.map(({ status }) => status);
    const whole = statuses.every(status => status === 200);
    expect({ version, statuses }).toEqual({ version, statuses: whole ? [200, 200, 200] : [404, 404, 404] });
    if (!whole) continue;
    expect(digestOf(answers[2]?.bytes ?? '')).toBe(digest);
    there.push(entry);
  }
  return there;
}

/** I3: nothing is served without a verdict that accepted exactly these bytes. */
export function expectJudged(versions: readonly VersionView[]): void {
  for (const { verdict, digest } of versions) {
    const { hash, ...document } = verdict;
    expect([document.outcome, document.subject.bundle, hash]).toEqual(['accepted', digest, digestOf(canonicalize(document) ?? '')]);
  }
}

/** I6, I7: one event and one audit entry for each version, in a log without gap, and nothing left on the way. */
export async function expectAudited(registry: Registry, tenant: Caller, versions: readonly VersionView[]): Promise<void> {
  const published = await eventually(async () => {
    const events = await registry.sql<{ event_id: string; subject: string; sent: boolean }>(
      ['registry', 'mirror', 'parity']
        .map(schema => `select event_id, subject, sent_at is not null as sent from ${schema}.outbox where tenant = $1`)
        .join(' union all '),
      [tenant.tenant],
    );
    const entries = await tenant.audit();
    expect({ unsent: events.filter(({ sent }) => !sent).length, entries: entries.length }).toEqual({ unsent: 0, entries: events.length });
    expect(entries.map(({ id }) => id).toSorted()).toEqual(events.map(event => event.event_id).toSorted());
    return entries;
  }, SETTLED_WITHIN_MS);
  expect(published.map(({ seq }) => seq)).toEqual(published.map((_, at) => at + 1));
  expect(published.map(({ leafHash }) => leafHash)).toEqual(published.map(leafHashOf));
  const named = (list: readonly { packId: string | null; version: string | null }[]) =>
    list.map(one => `${one.packId}@${one.version}`).toSorted();
  expect(named(published.filter(({ type }) => type === 'pack.version.published'))).toEqual(named(versions));
  expect(await registry.sql('select * from compliance.dead_letters')).toEqual([]);
}

/** Every blob on record has its bytes on disk. */
export async function expectBytesOnDisk(registry: Registry): Promise<void> {
  const rows = await registry.sql<{ object_key: string }>('select object_key from content.blobs');
  const root = join(registry.facts.dataDir, 'blobs', 'objects');
  const lost = rows.filter(({ object_key: key }) => !existsSync(join(root, key.slice(-1), key)));
  expect(lost).toEqual([]);
}
