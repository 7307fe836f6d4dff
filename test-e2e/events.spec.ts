import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { EVENT_STREAM, type AuditEntryView, type AuditList, type EventEnvelope } from '@packs/contracts';
import { eventually } from '@packs/testing';
import addFormats from 'ajv-formats';
import Ajv2020, { type ValidateFunction } from 'ajv/dist/2020';
import canonicalize from 'canonicalize';
import type { Caller } from './caller';
import { leafHashOf } from './client-log-checker';
import { EventStream } from './event-stream';
import { withNats } from './nats-admin';
import { aBundle, aManifest, digestOf, type Bundle } from './pack-bundle';
import { Registry } from './registry';
import { SigningKey } from './signing-key';

const key = new SigningKey('release');
let registry: Registry;

beforeAll(async () => {
  registry = await Registry.shared();
});

async function aTenant(): Promise<Caller> {
  const tenant = await registry.caller();
  await tenant.accept(key);
  return tenant;
}

async function publish(tenant: Caller, ...bundles: readonly Bundle[]): Promise<void> {
  for (const bundle of bundles) {
    const { status, body } = await tenant.publish(bundle, { signatures: [key.sigstore(bundle.bytes)] });
    expect([status, body.errors]).toEqual([201, undefined]);
  }
}

function versions(packId: string, ...numbers: readonly number[]): Bundle[] {
  return numbers.map(number => aBundle(aManifest(packId, `1.${number}.0`)));
}

const numbersOf = (entries: readonly AuditEntryView[]) => entries.map(({ version }) => Number(version?.split('.')[1]));

describe('the events of a pack', () => {
  it('come from the first on, then as they happen, and none of another pack', async () => {
    const tenant = await aTenant();
    await publish(tenant, ...versions('streamed', 1), ...versions('other', 1), ...versions('streamed', 2));
    const stream = EventStream.open(tenant, 'streamed');
    expect(numbersOf(await stream.received(2))).toEqual([1, 2]);
    const started = performance.now();
    await publish(tenant, ...versions('other', 2), ...versions('streamed', 3));
    await tenant.send('DELETE', '/api/packs/streamed/versions/1.1.0');
    const all = await stream.received(4, 5000);
    // Woken by what happens, not by the clock: the heartbeat is 15 s apart.
    expect(performance.now() - started).toBeLessThan(5000);
    expect(all.map(({ type }) => type)).toEqual([...Array<string>(3).fill('pack.version.published'), 'pack.version.deprecated']);
    expect(all).toEqual(await tenant.audit({ packId: 'streamed' }));
    await stream.close();
  });

  it('go on behind Last-Event-ID, without gap or repetition', async () => {
    const tenant = await aTenant();
    await publish(tenant, ...versions('resumed', 1, 2, 3));
    const first = EventStream.open(tenant, 'resumed');
    await first.received(3);
    await first.close();
    await publish(tenant, ...versions('resumed', 4, 5));
    const second = EventStream.open(tenant, 'resumed', first.lastId);
    await publish(tenant, ...versions('resumed', 6));
    expect(numbersOf(await second.received(3))).toEqual([4, 5, 6]);
    await second.close();
    const again = EventStream.open(tenant, 'resumed', String(Number(first.lastId) - 1));
    expect(numbersOf(await again.received(4))).toEqual([3, 4, 5, 6]);
    await again.close();
  });

  it('are neither lost nor repeated when the gateway is killed and comes back while versions are published', async () => {
    const tenant = await aTenant();
    await publish(tenant, ...versions('outlived', 1));
    const seen: AuditEntryView[] = [];
    let current = EventStream.open(tenant, 'outlived');
    let running = true;
    const follow = async () => {
      for (; ; current = EventStream.open(tenant, 'outlived', String(seen.at(-1)?.seq ?? 0))) {
        await current.ended;
        seen.push(...current.entries);
        if (!running) return;
      }
    };
    const following = follow();
    const numbers = Array.from({ length: 12 }, (_, at) => at + 2);
    for (const number of numbers) {
      if (number === 5) await registry.part('api-gateway').kill('SIGKILL');
      if (number === 5) await registry.part('api-gateway').start();
      await publish(tenant, ...versions('outlived', number));
    }
    await eventually(() => expect(numbersOf(current.entries).at(-1)).toBe(numbers.at(-1)));
    running = false;
    await current.close();
    await following;
    expect(numbersOf(seen)).toEqual([1, ...numbers]);
  });

  it('end with the token', async () => {
    const tenant = await aTenant();
    await publish(tenant, ...versions('expiring', 1));
    const short = tenant.withToken(await registry.token({ tenant: tenant.tenant, scope: 'packs.read', expiresInSeconds: 3 }));
    const started = performance.now();
    const stream = EventStream.open(short, 'expiring');
    await stream.received(1);
    await stream.ended;
    const seconds = (performance.now() - started) / 1000;
    expect(seconds).toBeGreaterThan(1);
    expect(seconds).toBeLessThan(6);
  });
});

describe('the audit log', () => {
  it('has the fields of an audit entry, a number without gap, and a hash anybody can compute', async () => {
    const tenant = await aTenant();
    const [bundle] = versions('audited', 1) as [Bundle];
    const signature = key.sigstore(bundle.bytes);
    await tenant.publish(bundle, { signatures: [signature], headers: { 'user-agent': 'a-client/1.0 (of a test)' } });
    await tenant.publish(aBundle(aManifest('audited', '2.0.0')));
    const entries = await eventually(async () => {
      const found = await tenant.audit();
      expect(found).toHaveLength(4);
      return found;
    });
    expect(entries.map(({ seq }) => seq)).toEqual([1, 2, 3, 4]);
    expect(entries.map(({ leafHash }) => leafHash)).toEqual(entries.map(leafHashOf));
    const { body: shown } = await tenant.version('audited', '1.1.0');
    expect(entries[2]).toEqual({
      seq: 3,
      id: expect.stringMatching(/^evt_[0-9A-Z]{26}$/),
      type: 'pack.version.published',
      packId: 'audited',
      version: '1.1.0',
      actor: `client:${tenant.tenant}-client`,
      tenant: tenant.tenant,
      source: 'a-client/1.0 (of a test)',
      signatures: [digestOf(signature.content)],
      metadataHash: digestOf(canonicalize(bundle.manifest) ?? ''),
      occurredAt: expect.stringMatching(/^\d{4}-.*Z$/),
      data: {
        digest: bundle.digest,
        manifestDigest: shown.manifestDigest,
        size: bundle.bytes.length,
        packType: 'task',
        channel: 'edge',
        channelMoved: true,
        signers: [{ name: shown.signatures[0]?.keyName, keyId: shown.signatures[0]?.keyId }],
        tenantVisibility: [],
        verdictHash: shown.verdict.hash,
        verdictOutcome: 'accepted',
        scanned: 'partly',
        publishedAt: shown.publishedAt,
      },
      leafHash: expect.stringMatching(/^[0-9a-f]{64}$/),
    });
    expect(entries[3]).toMatchObject({
      type: 'pack.version.rejected',
      packId: 'audited',
      version: '2.0.0',
      data: { reasons: ['ERR_PACK_SIGNATURE_MISSING'] },
    });
  });

  it('is read page by page, of one pack or of one type', async () => {
    const tenant = await aTenant();
    await publish(tenant, ...versions('one', 1, 2), ...versions('two', 1));
    await eventually(async () => expect(await tenant.audit()).toHaveLength(5));
    const page = async (query: Record<string, string | number>) => {
      const { body } = await tenant.get<AuditList>('/api/audit', query);
      return [body.entries.map(({ seq }) => seq), body.next];
    };
    expect(await page({ limit: 2 })).toEqual([[1, 2], 2]);
    expect(await page({ limit: 2, after: 2 })).toEqual([[3, 4], 4]);
    expect(await page({ limit: 2, after: 4 })).toEqual([[5], null]);
    expect(await page({ limit: 5 })).toEqual([[1, 2, 3, 4, 5], null]);
    expect(await page({ packId: 'one' })).toEqual([[3, 4], null]);
    expect(await page({ packId: 'one', limit: 1, after: 3 })).toEqual([[4], null]);
    expect(await page({ type: 'registry.trust.updated' })).toEqual([[1], null]);
    expect(await page({ type: 'no.such.type' })).toEqual([[], null]);
  });
});

describe('the stream of events', () => {
  const schemas = new Map<string, ValidateFunction>();

  beforeAll(() => {
    const ajv = new Ajv2020({ strict: false, allErrors: true });
    addFormats.default(ajv);
    const folder = join(__dirname, '..', 'docs', 'schemas', 'events');
    for (const file of readdirSync(folder)) {
      schemas.set(file.replace('.schema.json', ''), ajv.compile(JSON.parse(readFileSync(join(folder, file), 'utf8')) as object));
    }
  });

  /** What JetStream has of a tenant, in order. */
  function messagesOf(tenant: string): Promise<{ subject: string; id: string | undefined; event: EventEnvelope }[]> {
    return withNats(registry, 'admin', async connection => {
      const consumer = await connection.jetstream().consumers.get(EVENT_STREAM.name);
      const { num_pending: count } = await consumer.info();
      const messages: { subject: string; id: string | undefined; event: EventEnvelope }[] = [];
      const batch = await consumer.fetch({ max_messages: count, expires: 5000 });
      for await (const message of batch) {
        const text = message.string();
        if (text.includes(`"tenant":"${tenant}"`)) {
          messages.push({ subject: message.subject, id: message.headers?.get('Nats-Msg-Id'), event: JSON.parse(text) as EventEnvelope });
        }
        if (message.info.pending === 0) break;
      }
      return messages;
    });
  }

  it('carries each event once, as a CloudEvent that follows its published schema, and the audit log says the same', async () => {
    const tenant = await aTenant();
    await tenant.put('/api/visibility', { shareWith: ['partner'] });
    await publish(tenant, ...versions('announced', 1));
    await tenant.send('DELETE', '/api/packs/announced/versions/1.1.0', { query: { reason: 'old' } });
    await tenant.publish(aBundle(aManifest('announced', '3.0.0')));
    const entries = await eventually(async () => {
      const found = await tenant.audit();
      expect(found).toHaveLength(6);
      return found;
    });
    const messages = await messagesOf(tenant.tenant);
    expect(messages.map(({ subject }) => subject).toSorted()).toEqual([
      'pack.version.deprecated',
      'pack.version.published',
      'pack.version.rejected',
      'registry.policy.updated',
      'registry.trust.updated',
      'registry.visibility.updated',
    ]);
    expect([...schemas.keys()]).toEqual(expect.arrayContaining(messages.map(({ subject }) => subject)));
    for (const [at, { subject, id, event }] of messages.entries()) {
      const validate = schemas.get(subject);
      expect([subject, validate?.(event), validate?.errors]).toEqual([subject, true, null]);
      expect([event.type, event.id, event.data.id]).toEqual([subject, id, id]);
      const { seq: _, leafHash: __, occurredAt, data, ...named } = entries[at] as AuditEntryView;
      expect({ ...named, ...data }).toEqual(event.data);
      expect([occurredAt, event.subject]).toEqual([event.time, [tenant.tenant, named.packId, named.version].filter(Boolean).join('/')]);
    }
  });
});
