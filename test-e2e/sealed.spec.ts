import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { COMMANDS, type ExportView, type ImportView, type PackList, type Problem, type SealView } from '@packs/contracts';
import { NatsCommandBus } from '@packs/messaging';
import { eventually } from '@packs/testing';
import { runStella, type Run } from '../tools/cli/testing/run-cli';
import { apiOperations } from './api-operations';
import { Caller, type Answer } from './caller';
import { connectionsOf, isTraceable, TRACER } from './connections';
import { multipart } from './multipart';
import { aBundle, aManifest, type Bundle } from './pack-bundle';
import { ALL_SCOPES, newTenant, Registry } from './registry';
import { commandsOf, OPEN_COMMANDS } from './sealed-commands';
import { SigningKey } from './signing-key';

jest.setTimeout(120_000);

const release = new SigningKey('release');
let registry: Registry;

beforeAll(async () => {
  registry = await Registry.shared();
});

async function person(tenant: string, name: string, scope = ALL_SCOPES): Promise<Caller> {
  return new Caller(registry.gatewayUrl, await registry.token({ tenant, scope, clientId: name }), tenant);
}

function publish(caller: Caller, bundle: Bundle) {
  return caller.publish(bundle, { signatures: [release.sigstore(bundle.bytes)] });
}

const seal = (caller: Caller, sealed = true): Promise<Answer<SealView & Problem>> =>
  caller.put('/api/sealed', { sealed, reason: 'the site is on its own' });
const approve = (caller: Caller): Promise<Answer<SealView & Problem>> => caller.send('POST', '/api/sealed/approvals');
const told = ({ status, body }: Answer<Partial<Problem>>) => [status, body?.code];
const REFUSED = [423, 'ERR_PACK_SEALED'];

describe('a tenant that its administrator sealed', () => {
  let tenant: string;
  let admin: Caller;
  beforeEach(async () => {
    tenant = newTenant();
    admin = await person(tenant, 'alice');
    await admin.accept(release);
    expect(told(await publish(admin, aBundle(aManifest('hello'))))).toEqual([201, undefined]);
    expect(told(await seal(admin))).toEqual([200, undefined]);
  });

  it('is refused every route that changes content before its body is looked at, and no other', async () => {
    const operations = await apiOperations(registry.gatewayUrl);
    const wrong: string[] = [];
    for (const { operationId, method, path, effect } of operations) {
      const filled = path
        .replace('{packId}', 'hello')
        .replace('{version}', '1.0.0')
        .replaceAll(/\{\w+\}/g, 'any');
      const unreadable = method === 'GET' ? {} : { body: '{"', headers: { 'content-type': 'application/json' } };
      const response = await admin.open(method, filled, unreadable);
      await response.body?.cancel();
      if ((response.status === 423) !== (effect === 'mutation')) wrong.push(`${operationId}, a ${effect}, answers ${response.status}`);
    }
    expect(wrong).toEqual([]);
    expect(operations.filter(({ effect }) => effect === 'mutation').length).toBeGreaterThan(15);
  });

  /** Of the version published before the seal. */
  const storedManifest = async () => {
    const [manifest] = await registry.sql<{ digest: string; size: number; objectKey: string; blockChecksums: string }>(
      `select b.digest, b.size::int as size, b.object_key as "objectKey", encode(b.block_checksums, 'base64') as "blockChecksums" from content.blobs b
       join registry.manifests m on m.digest = b.digest where m.tenant = $1 and m.subject is null`,
      [tenant],
    );
    if (!manifest) throw new Error('nothing was published before the seal');
    return manifest;
  };

  it('is refused by the processes themselves, whatever gets past the gateway', async () => {
    const { url, passwords } = registry.facts.nats;
    const bus = new NatsCommandBus({ process: 'api-gateway', url, password: passwords['api-gateway'] ?? '' });
    try {
      const requests = commandsOf(tenant, await storedManifest());
      const changing = COMMANDS.filter(({ answeredBy }) => answeredBy === 'publisher' || answeredBy === 'mirror-worker').filter(
        ({ contract }) => !OPEN_COMMANDS.includes(contract.subject) && !/(dead-letter|replay-events)/.test(contract.subject),
      );
      expect(changing.length).toBeGreaterThan(12);
      const answers = await Promise.all(
        changing.map(async ({ contract }) => {
          const request = requests[contract.subject];
          if (!request) throw new Error(`${contract.subject} is not known to this test; add a request of it to sealed-commands.ts`);
          return [
            contract.subject,
            await bus.send(contract, request).then(
              () => 'done',
              (error: { code?: string }) => error.code,
            ),
          ];
        }),
      );
      expect(answers).toEqual(changing.map(({ contract }) => [contract.subject, 'ERR_PACK_SEALED']));
    } finally {
      await bus.close();
    }
  });

  it('goes on reading, and nobody else is sealed', async () => {
    expect((await admin.bundle('hello', '1.0.0')).bytes).toEqual(aBundle(aManifest('hello')).bytes);
    expect((await admin.get<PackList>('/api/packs')).body.packs).toHaveLength(1);
    const other = await registry.caller();
    await other.accept(release);
    expect((await publish(other, aBundle(aManifest('hello')))).status).toBe(201);
  });

  it('is unsealed by two others than who asks, and every step is in the audit log', async () => {
    const [bob, carol, dave, reader] = await Promise.all([
      person(tenant, 'bob', 'packs.admin packs.approve packs.read'),
      person(tenant, 'carol', 'packs.approve'),
      person(tenant, 'dave', 'packs.approve'),
      person(tenant, 'reader', 'packs.read packs.write packs.admin'),
    ]);
    expect(told(await approve(carol))).toEqual([404, 'ERR_PACK_NOT_FOUND']);
    const asked = await seal(bob, false);
    expect([asked.status, asked.body]).toMatchObject([
      200,
      { sealed: true, by: 'api', pendingUnseal: { requestedBy: 'client:bob', approvals: [] } },
    ]);
    expect(told(await approve(reader))).toEqual([403, 'ERR_PACK_SCOPE']);
    expect(told(await approve(bob))).toEqual([403, 'ERR_PACK_APPROVAL']);
    expect(told(await seal(admin, false))).toEqual([409, 'ERR_PACK_CONFLICT']);
    expect((await approve(carol)).body.pendingUnseal?.approvals.map(({ by }) => by)).toEqual(['client:carol']);
    expect(told(await approve(carol))).toEqual([403, 'ERR_PACK_APPROVAL']);
    expect(told(await publish(admin, aBundle(aManifest('hello', '1.1.0'))))).toEqual(REFUSED);
    expect((await approve(dave)).body).toMatchObject({ sealed: false, by: null, changedBy: 'client:bob', pendingUnseal: null });
    expect(told(await publish(admin, aBundle(aManifest('hello', '1.1.0'))))).toEqual([201, undefined]);
    await eventually(async () => {
      const entries = await admin.audit();
      expect(entries.slice(-5).map(({ type, actor }) => [type, actor])).toEqual([
        ['registry.sealed', 'client:alice'],
        ['registry.unseal.requested', 'client:bob'],
        ['registry.unseal.approved', 'client:carol'],
        ['registry.unsealed', 'client:dave'],
        ['pack.version.published', 'client:alice'],
      ]);
      expect(entries.at(-2)?.data).toMatchObject({
        request: { requestedBy: 'client:bob', approvals: [{ by: 'client:carol' }, { by: 'client:dave' }] },
      });
    });
  });

  it('is looked after from the command line', async () => {
    const stella = (caller: Caller, ...args: string[]): Promise<Run> =>
      runStella(['registry', 'sealed', ...args], { env: { STELLA_REGISTRY_URL: registry.gatewayUrl, STELLA_TOKEN: caller.token ?? '' } });
    expect((await stella(admin, 'show')).stdout).toMatch(/^sealed: +yes\nby: +client:alice\n/);
    expect(await stella(admin, 'unseal', '--reason', 'repair')).toMatchObject({ code: 0 });
    expect(await stella(admin, 'approve')).toMatchObject({ code: 4, stderr: expect.stringContaining('[ERR_PACK_APPROVAL]') as string });
    for (const name of ['bob', 'carol']) expect(await stella(await person(tenant, name), 'approve')).toMatchObject({ code: 0 });
    expect((await stella(admin, 'show')).stdout).toMatch(/^sealed: +no\n/);
    expect(await stella(admin, 'seal', '--reason', 'done')).toMatchObject({ code: 0 });
    const channel = ['channel', 'set', 'night'];
    const refused = await runStella(channel, { env: { STELLA_REGISTRY_URL: registry.gatewayUrl, STELLA_TOKEN: admin.token ?? '' } });
    expect(refused).toMatchObject({ code: 4, stderr: expect.stringContaining('[ERR_PACK_SEALED]') as string });
  });
});

describe('a registry that its configuration sealed', () => {
  const tenant = newTenant();
  const bundle = aBundle(aManifest('carried'));
  let folder: string;
  let site: Registry;
  let caller: Caller;
  let kit: { bytes: Buffer; signature: Buffer };

  beforeAll(async () => {
    folder = mkdtempSync(join(tmpdir(), 'packs-sealed-'));
    const [source, jwksFile, exportersFile] = [await person(tenant, 'alice'), join(folder, 'jwks.json'), join(folder, 'exporters.json')];
    await source.accept(release);
    expect((await publish(source, bundle)).status).toBe(201);
    kit = await makeKit(source);
    writeFileSync(jwksFile, await jwks(registry.facts.authorityUrl));
    const publicKey = readFileSync(join(registry.facts.dataDir, 'keys', 'kit-signing.pub.pem'), 'utf8');
    writeFileSync(exportersFile, JSON.stringify({ keys: [{ name: 'headquarters', publicKey }] }));
    const env = {
      SEALED: 'true',
      AUTHORITY_ISSUER: registry.facts.authorityUrl,
      AUTHORITY_JWKS_FILE: jwksFile,
      KIT_EXPORTERS_FILE: exportersFile,
    };
    site = await Registry.start(
      { ...env, OTEL_EXPORTER_OTLP_ENDPOINT: 'http://127.0.0.1:9/traces' },
      undefined,
      isTraceable() ? TRACER : undefined,
    );
    caller = new Caller(site.gatewayUrl, source.token, tenant);
  });
  afterAll(async () => {
    rmSync(folder, { recursive: true, force: true });
    await site.end();
  });

  it('is refused every change, and no request unseals it', async () => {
    expect((await caller.get<SealView>('/api/sealed')).body).toEqual({
      ...{ sealed: true, by: 'configuration', since: null, changedBy: null, reason: null, pendingUnseal: null },
    });
    const refused = await publish(caller, bundle);
    expect([...told(refused), (refused.body as { sealedBy?: string }).sealedBy]).toEqual([...REFUSED, 'configuration']);
    expect(told(await caller.put('/api/channels/night', {}))).toEqual(REFUSED);
    expect(told(await seal(caller, false))).toEqual(REFUSED);
    expect(told(await approve(caller))).toEqual(REFUSED);
    expect((await seal(caller)).body).toMatchObject({ sealed: true, by: 'configuration' });
    expect(await caller.audit()).toEqual([]);
  });

  it('takes kits in, and serves what they hold', async () => {
    const form = multipart([
      { name: 'kit', file: 'kit.tar', type: 'application/x-tar', content: kit.bytes },
      { name: 'signature', file: 'kit.tar.sigstore.json', type: 'application/json', content: kit.signature },
    ]);
    const upload = { query: { acceptTrust: true }, headers: { 'content-type': form.contentType }, body: form.body };
    const { status, body } = await caller.send<ImportView>('POST', '/api/imports', upload);
    expect(status).toBe(202);
    await eventually(async () => {
      const job = (await caller.get<ImportView>(`/api/imports/${body.id}`)).body;
      expect([job.state, job.error]).toEqual(['succeeded', null]);
    }, 30_000);
    expect((await caller.get<PackList>('/api/packs')).body.packs.map(({ packId }) => packId)).toEqual(['carried']);
    expect((await caller.bundle('carried', '1.0.0')).bytes).toEqual(bundle.bytes);
    const events = await caller.open('GET', '/api/packs/carried/events');
    expect(new TextDecoder().decode((await events.body?.getReader().read())?.value)).toContain('retry:');
    await eventually(async () => expect((await caller.audit()).map(({ type }) => type)).toContain('mirror.kit.imported'), 20_000);
    expect(told(await publish(caller, bundle))).toEqual(REFUSED);
  });

  (isTraceable() ? it : it.skip)('has connected to its database and its bus and to nothing else (needs strace)', () => {
    const [database, bus] = [site.facts.databaseUrls['publisher'] ?? '', site.facts.nats.url].map(url => new URL(url).host);
    const peers = connectionsOf(site.facts.dataDir);
    expect(Object.keys(peers).toSorted()).toEqual(['api-gateway', 'compliance', 'mirror-worker', 'parity-worker', 'publisher', 'verifier']);
    for (const [process, found] of Object.entries(peers)) {
      expect([process, found]).toEqual([process, process === 'verifier' ? [bus] : [database, bus].toSorted()]);
    }
  });
});

async function makeKit(caller: Caller): Promise<{ bytes: Buffer; signature: Buffer }> {
  const { status, body } = await caller.send<ExportView>('POST', '/api/exports', { json: {} });
  expect(status).toBe(202);
  const path = `/api/exports/${body.id}`;
  await eventually(async () => expect((await caller.get<ExportView>(path)).body.state).toBe('succeeded'), 30_000);
  return { bytes: (await caller.get(`${path}/kit`)).bytes, signature: (await caller.get(`${path}/signature`)).bytes };
}

async function jwks(issuer: string): Promise<string> {
  const { jwks_uri: uri } = (await (await fetch(`${issuer}/.well-known/openid-configuration`)).json()) as { jwks_uri: string };
  return (await fetch(uri)).text();
}
