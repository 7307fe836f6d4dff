import { randomBytes } from 'node:crypto';
import { readdirSync, readFileSync, renameSync } from 'node:fs';
import { Agent, request, type ClientRequest } from 'node:http';
import { join } from 'node:path';
import { PROCESSES, type ProcessName } from '@packs/contracts';
import { eventually } from '@packs/testing';
import type { PartName } from '../tools/stack/stack';
import type { Caller } from './caller';
import { waitsForLock, whileLocked } from './database-lock';
import { EventStream } from './event-stream';
import { aBundle, aManifest, BUNDLE_TYPE, type Bundle } from './pack-bundle';
import { Registry } from './registry';
import { SigningKey } from './signing-key';
import { TraceCollector } from './trace-collector';

const key = new SigningKey('release', 'ed25519');
const collector = new TraceCollector();
let registry: Registry;
let tenant: Caller;

beforeAll(async () => {
  const endpoint = await collector.listen();
  // The most talkative level: what it does not give away, none does.
  registry = await Registry.start({ OTEL_EXPORTER_OTLP_ENDPOINT: endpoint, OTEL_BSP_SCHEDULE_DELAY: '200', LOG_LEVEL: 'trace' });
  tenant = await registry.caller();
  await tenant.accept(key);
});

afterAll(async () => {
  await registry.end();
  collector.close();
});

function publish(bundle: Bundle, headers: Readonly<Record<string, string>> = {}) {
  return tenant.publish(bundle, { signatures: [key.sigstore(bundle.bytes)], headers });
}

interface ReadinessAnswer {
  readonly status: string;
  readonly checks: readonly { readonly name: string; readonly status: string }[];
}

async function readiness(process: ProcessName): Promise<{ code: number; down: readonly string[] }> {
  const response = await fetch(`${registry.urlOf(process)}/readyz`);
  const { checks } = (await response.json()) as ReadinessAnswer;
  return { code: response.status, down: checks.filter(({ status }) => status === 'down').map(({ name }) => name) };
}

describe('health and readiness', () => {
  it('every process tells that it runs, and that it can do its work', async () => {
    for (const process of PROCESSES) {
      const health = await fetch(`${registry.urlOf(process)}/healthz`);
      expect([process, health.status, await health.json()]).toEqual([process, 200, { status: 'ok' }]);
      expect([process, await readiness(process)]).toEqual([process, { code: 200, down: [] }]);
    }
  });

  /** Takes something away, expects exactly these processes to name it, and that all are ready once it is back. */
  async function expectMissed(
    check: string,
    by: readonly ProcessName[],
    away: () => Promise<void>,
    back: () => Promise<void>,
  ): Promise<void> {
    await away();
    try {
      await eventually(async () => {
        for (const process of PROCESSES) {
          const { code, down } = await readiness(process);
          expect([process, code, down.includes(check)]).toEqual(by.includes(process) ? [process, 503, true] : [process, 200, false]);
        }
      }, 15_000);
      for (const process of PROCESSES) expect((await fetch(`${registry.urlOf(process)}/healthz`)).status).toBe(200);
    } finally {
      await back();
    }
    await eventually(async () => {
      for (const process of PROCESSES) expect([process, await readiness(process)]).toEqual([process, { code: 200, down: [] }]);
    }, 10_000);
  }

  it.each<[string, PartName, readonly ProcessName[]]>([
    ['postgresql', 'postgres', ['api-gateway', 'publisher', 'mirror-worker', 'parity-worker', 'compliance']],
    ['nats', 'nats-server', PROCESSES],
  ])('%s is named while %s is away, and all are ready soon after', async (check, part, by) => {
    await expectMissed(
      check,
      by,
      () => registry.part(part).stop(),
      () => registry.part(part).start(),
    );
    expect((await publish(aBundle(aManifest(`after-${check}`)))).status).toBe(201);
  });

  it('tokens are accepted while the Authority is away: its keys are known', async () => {
    await registry.part('authority').without(async () => {
      expect((await tenant.get('/api/packs')).status).toBe(200);
      expect(await readiness('api-gateway')).toEqual({ code: 200, down: [] });
    });
  });

  it('blob-store is named while its folder is away', async () => {
    const folder = join(registry.facts.dataDir, 'blobs');
    const move = (from: string, to: string) => async () => renameSync(from, to);
    await expectMissed(
      'blob-store',
      ['api-gateway', 'publisher', 'verifier', 'mirror-worker'],
      move(folder, `${folder}-away`),
      move(`${folder}-away`, folder),
    );
  });
});

describe('metrics', () => {
  it('count publishes by their result, and time signatures by theirs', async () => {
    const publishes = (result: string) => registry.metric('publisher', 'registry_pack_publish_total', `result="${result}"`);
    const verified = (result: string) => registry.metric('verifier', 'registry_pack_signature_verify_seconds_count', `result="${result}"`);
    const seconds = () => registry.metric('verifier', 'registry_pack_signature_verify_seconds_sum');
    const counts = async () => ({
      published: await publishes('published'),
      again: await publishes('already-published'),
      rejected: await publishes('rejected'),
      refused: await publishes('refused'),
      valid: await verified('valid'),
      untrusted: await verified('untrusted'),
    });
    const [before, time] = [await counts(), await seconds()];
    const bundle = aBundle(aManifest('counted'));
    await publish(bundle);
    await publish(bundle);
    await tenant.publish(bundle, { signatures: [new SigningKey('stranger').sigstore(bundle.bytes)] });
    await publish(aBundle(aManifest('counted'), [{ path: 'other', content: 'x' }]));
    expect(await counts()).toEqual({
      published: before.published + 1,
      again: before.again + 1,
      rejected: before.rejected + 1,
      refused: before.refused + 1,
      valid: before.valid + 3,
      untrusted: before.untrusted + 1,
    });
    expect(await seconds()).toBeGreaterThan(time);
  });

  it('show on every process what Node tells of itself, labelled with the process', async () => {
    for (const process of PROCESSES) {
      const response = await fetch(`${registry.urlOf(process)}/metrics`);
      expect(response.headers.get('content-type')).toContain('text/plain');
      expect(await response.text()).toContain(`process_resident_memory_bytes{process="${process}"}`);
    }
    expect(await registry.metric('compliance', 'registry_events_consumed_total', 'outcome="done"')).toBeGreaterThan(0);
    await eventually(async () => expect(await registry.metric('publisher', 'registry_outbox_unsent')).toBe(0));
  });
});

describe('logs', () => {
  it('are JSON, name the pack, version, actor, tenant and digest of a publish, and hold no secret', async () => {
    const bundle = aBundle(aManifest('logged'));
    const { status, body } = await publish(bundle);
    expect([status, body.code, body.detail]).toEqual([201, undefined, undefined]);
    // Refusals see the header; none of it is to be kept.
    await tenant.withToken(`${tenant.token}x`).get('/api/packs');
    await tenant.withToken(null).get('/api/packs', {}, { authorization: 'Basic c2VjcmV0LXVzZXI6c2VjcmV0LXBhc3N3b3Jk' });
    const named = { packId: 'logged', version: '1.0.0', tenant: tenant.tenant, digest: bundle.digest };
    const lines = (await logLines('publisher')).filter(({ msg }) => msg === 'publish');
    expect(lines).toContainEqual(
      expect.objectContaining({ ...named, level: 'info', process: 'publisher', actor: `client:${tenant.tenant}-client` }),
    );
    expect(await logLines('verifier')).toContainEqual(expect.objectContaining({ ...named, process: 'verifier', outcome: 'accepted' }));
    const client = await registry.client('acme-publisher');
    await failEachWay(client);
    const requests = (await logLines('api-gateway')).filter(({ msg }) => msg === 'request failed');
    expect(requests.length).toBeGreaterThanOrEqual(4);
    const secrets = [
      ...secretsOfTheStack(),
      client.token?.split('.')[2] ?? '',
      readFileSync(registry.secretFile('acme-publisher'), 'utf8').trim(),
    ];
    expect(secrets.length).toBeGreaterThan(8);
    for (const file of readdirSync(join(registry.facts.dataDir, 'logs'))) {
      const text = readFileSync(join(registry.facts.dataDir, 'logs', file), 'utf8');
      expect([file, secrets.filter(secret => text.includes(secret))]).toEqual([file, []]);
      expect([file, /eyJ[\w-]{10,}\.eyJ/.test(text)]).toEqual([file, false]);
    }
  });

  /** Errors are logged with all they know. */
  async function failEachWay(client: Caller): Promise<void> {
    for (const part of ['verifier', 'publisher', 'nats-server', 'postgres'] as const) {
      await registry.part(part).without(async () => {
        const bundle = aBundle(aManifest(`unlucky-without-${part}`));
        const { status, body } = await client.publish(bundle, { signatures: [key.sigstore(bundle.bytes)] });
        expect([part, status, body.code]).toEqual([part, 503, 'ERR_PACK_UNAVAILABLE']);
      });
    }
    await eventually(async () => expect((await client.get('/api/packs')).status).toBe(200));
  }

  async function logLines(process: ProcessName): Promise<readonly Record<string, unknown>[]> {
    const text = await registry.part(process).logs();
    return text
      .trim()
      .split('\n')
      .map(line => JSON.parse(line) as Record<string, unknown>);
  }

  function secretsOfTheStack(): readonly string[] {
    const stored = JSON.parse(readFileSync(join(registry.facts.dataDir, 'secrets.json'), 'utf8')) as object;
    const passwords = JSON.stringify(stored).match(/"p[\w-]{32}"/g) ?? [];
    return [tenant.token?.split('.')[2] ?? '', 'c2VjcmV0LXVzZXI6', ...passwords.map(text => text.slice(1, -1))];
  }
});

describe('SIGTERM', () => {
  it('lets the gateway finish an upload and ends its event streams', async () => {
    const gateway = registry.part('api-gateway');
    const bundle = aBundle(aManifest('in-flight'), [{ path: 'data', content: randomBytes(500_000) }]);
    await publish(aBundle(aManifest('watched')));
    const stream = EventStream.open(tenant, 'watched');
    await stream.received(1);
    const agent = new Agent({ keepAlive: true });
    const upload = await startUpload(bundle, agent);
    const started = performance.now();
    const stopped = gateway.kill('SIGTERM');
    await stream.ended;
    await eventually(() => expect(fetch(`${registry.gatewayUrl}/healthz`)).rejects.toThrow());
    const answer = await upload.finish();
    expect([answer.status, answer.body]).toEqual([201, expect.objectContaining({ digest: bundle.digest, state: 'published' })]);
    await stopped;
    expect(performance.now() - started).toBeLessThan(7_000);
    agent.destroy();
    await gateway.start();
    expect((await tenant.bundle('in-flight', '1.0.0')).bytes.equals(bundle.bytes)).toBe(true);
  });

  /** An upload of which half has arrived. */
  async function startUpload(
    { packId, bytes }: Bundle,
    agent: Agent,
  ): Promise<{ finish(): Promise<{ status: number | undefined; body: unknown }> }> {
    const half = Math.floor(bytes.length / 2);
    const call: ClientRequest = request(`${registry.gatewayUrl}/api/packs/${packId}/versions`, {
      method: 'POST',
      // Would keep its connection for ever, as a proxy does.
      agent,
      headers: {
        authorization: `Bearer ${tenant.token}`,
        'content-type': BUNDLE_TYPE,
        'stella-signature': key.sigstore(bytes).content.toString('base64'),
      },
    });
    const answer = new Promise<{ status: number | undefined; body: unknown }>((resolve, reject) => {
      call.once('error', reject).once('response', response => {
        let text = '';
        response.setEncoding('utf8').on('data', chunk => (text += String(chunk)));
        response.once('end', () => resolve({ status: response.statusCode, body: JSON.parse(text) }));
      });
    });
    call.write(bytes.subarray(0, half));
    const partial = join(registry.facts.dataDir, 'blobs', 'tmp');
    await eventually(() => expect(readdirSync(partial)).not.toEqual([]));
    return {
      finish: () => {
        call.end(bytes.subarray(half));
        return answer;
      },
    };
  }

  it('lets the publisher answer what it has begun', async () => {
    const publisher = registry.part('publisher');
    const bundle = aBundle(aManifest('begun'));
    const { pending, stopped } = await whileLocked(
      registry,
      'select 1 from registry.tenants where tenant = $1 for update',
      [tenant.tenant],
      async () => {
        const request = publish(bundle);
        await waitsForLock(registry, 'publisher');
        return { pending: request, stopped: publisher.kill('SIGTERM') };
      },
    );
    expect((await pending).status).toBe(201);
    await stopped;
    await publisher.start();
    await eventually(async () => expect((await tenant.audit({ packId: 'begun' })).length).toBe(1));
  });
});

describe('traces', () => {
  it('show one publish in one trace across gateway, publisher, verifier, compliance and SQL', async () => {
    const traceId = randomBytes(16).toString('hex');
    const parent = randomBytes(8).toString('hex');
    expect((await publish(aBundle(aManifest('traced')), { traceparent: `00-${traceId}-${parent}-01` })).status).toBe(201);
    const spans = await eventually(() => {
      const found = collector.spans.filter(span => span.traceId === traceId);
      const services = new Set(found.map(({ service }) => service));
      expect(services).toEqual(new Set(PROCESSES.map(process => `packs-registry-${process}`)));
      return found;
    });
    const names = (service: string) => spans.filter(span => span.service === `packs-registry-${service}`).map(({ name }) => name);
    expect(names('api-gateway')).toEqual(expect.arrayContaining([expect.stringMatching(/^POST/), 'cmd.publisher.publish-pack']));
    expect(names('publisher')).toEqual(
      expect.arrayContaining(['cmd.publisher.publish-pack', 'cmd.verifier.verify-bundle', 'publish pack.version.published']),
    );
    expect(names('verifier')).toContain('cmd.verifier.verify-bundle');
    expect(names('compliance')).toContain('consume pack.version.published');
    const sql = spans.filter(({ attributes }) => (attributes['db.system'] ?? attributes['db.system.name']) === 'postgresql');
    expect(new Set(sql.map(({ service }) => service))).toEqual(
      new Set(['api-gateway', 'publisher', 'mirror-worker', 'parity-worker', 'compliance'].map(name => `packs-registry-${name}`)),
    );
    // One tree: every span hangs on another one of the trace, and the first on the client's.
    const known = new Set([parent, ...spans.map(({ spanId }) => spanId)]);
    expect(spans.filter(({ parentSpanId }) => !known.has(parentSpanId ?? ''))).toEqual([]);
    expect(spans.filter(({ parentSpanId }) => parentSpanId === parent)).toHaveLength(1);
  });

  it('hold no token', () => {
    const text = JSON.stringify(collector.spans);
    expect(text.length).toBeGreaterThan(10_000);
    expect(text).not.toMatch(/eyJ[\w-]{10,}\.eyJ/);
    expect(text).not.toContain(tenant.token?.split('.')[2]);
  });
});
