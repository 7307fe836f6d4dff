import type { Problem, PublishAnswer, ScanningView, ScanReportView } from '@packs/contracts';
import { eventually, nestedFiveDeep, ScriptedClamd } from '@packs/testing';
import type { Answer, Caller } from './caller';
import { CommandLine } from './command-line';
import { aPackArtifact, OCI_MANIFEST } from './oci-content';
import { aBundle, aManifest, type Bundle } from './pack-bundle';
import { Registry } from './registry';
import { SigningKey } from './signing-key';

const PROCESSES = ['api-gateway', 'publisher', 'verifier', 'compliance'] as const;
const CLEAN = { does: 'answer', text: 'stream: OK' } as const;
/** In the form of a token, put together here, and nobody's. */
const RANDOM = 'Zq81mTxV0aKc7RwE2nLdY5uHs3JbGf';
const SECRET = ['gh', 'p_', RANDOM, '4PoI9Q'].join('');

const key = new SigningKey('release', 'ed25519');
let clamd: ScriptedClamd;
let port: number;
let registry: Registry;
let owner: Caller;

jest.setTimeout(120_000);

beforeAll(async () => {
  clamd = await ScriptedClamd.start();
  port = clamd.port;
  registry = await Registry.start({ VERIFIER_CLAMD_ADDRESS: `tcp://127.0.0.1:${port}` });
});
beforeEach(async () => {
  clamd.script = CLEAN;
  owner = await registry.caller();
  await owner.accept(key);
});
afterAll(async () => {
  await registry.end();
  await clamd.stop();
});

const leaky = (packId: string): Bundle =>
  aBundle(aManifest(packId), [
    { path: 'conf/nested.zip', content: nestedFiveDeep('deploy.env', Buffer.from(`HOST=a\nTOKEN=${SECRET}\n`)) },
  ]);
const publish = (bundle: Bundle, by = owner): Promise<Answer<PublishAnswer & Problem>> =>
  by.publish(bundle, { signatures: [key.sigstore(bundle.bytes)] });
const codesOf = ({ body }: Answer<Problem>): (string | undefined)[] => (body.errors ?? []).map(({ code }) => code);

interface Scan {
  readonly id: string;
  readonly outcome: string;
  readonly reason: string;
  readonly scanner?: string;
  readonly evidence?: string;
}

function scansOf(checks: readonly object[]): readonly Scan[] {
  return (checks as readonly Scan[]).filter(({ id }) => id === 'scan');
}

async function expectAbsent(bundle: Bundle): Promise<void> {
  expect((await owner.version(bundle.packId, bundle.version)).status).toBe(404);
  const rows = await registry.sql(
    `select pack_id from registry.pack_versions where tenant = $1 union all select pack_id from registry.pending_versions where tenant = $1
     union all select name from registry.repositories where tenant = $1`,
    [owner.tenant],
  );
  expect(rows).toEqual([]);
}

describe('a pack with a secret in it', () => {
  it('is refused, and tells nobody what it is', async () => {
    const bundle = leaky('leaky');
    const refused = await publish(bundle);
    expect([refused.status, refused.body.code, codesOf(refused)]).toEqual([422, 'ERR_PACK_VERDICT_REJECTED', ['ERR_PACK_SECRET_FOUND']]);
    expect(refused.body.errors?.[0]?.message).toContain('deploy.env" line 2 holds what looks like a secret: github/GITHUB_TOKEN');
    await expectAbsent(bundle);
    const { verdict } = refused.body as unknown as { verdict: { checks: Scan[] } };
    const [secrets, malware] = scansOf(verdict.checks);
    expect([secrets?.reason, malware?.reason]).toEqual(['secret-found', 'ok']);

    const line = new CommandLine({ STELLA_REGISTRY_URL: registry.gatewayUrl, STELLA_TOKEN: owner.token ?? '' });
    const report = await line.json<ScanReportView>('scanning', 'report', secrets?.evidence ?? '');
    expect(report.findings).toEqual([{ path: expect.stringContaining('deploy.env') as string, line: 2, rule: 'github/GITHUB_TOKEN' }]);
    const stranger = await registry.caller();
    expect((await stranger.get(`/api/scanning/reports/${secrets?.evidence}`)).status).toBe(404);

    await eventually(async () => expect((await owner.audit()).map(({ type }) => type)).toContain('pack.version.rejected'));
    const told = [
      refused.bytes.toString(),
      ...line.written,
      JSON.stringify(await owner.audit()),
      JSON.stringify(await registry.sql('select document from registry.verdicts where tenant = $1', [owner.tenant])),
      JSON.stringify(await registry.sql('select * from registry.idempotency_keys where tenant = $1', [owner.tenant])),
      JSON.stringify(await registry.sql(`select convert_from(payload, 'UTF8') from registry.outbox where tenant = $1`, [owner.tenant])),
      ...(await Promise.all(PROCESSES.map(name => registry.part(name).logs()))),
    ].join('\n');
    expect(told).toContain('secret-found');
    for (let at = 0; at + 8 <= RANDOM.length; at++) expect(told.includes(RANDOM.slice(at, at + 8))).toBe(false);
  });

  it('is refused by the door of OCI too, and is no version that waits', async () => {
    await owner.policy({ keyRef: key.name }, { unsigned: 'pending' });
    const bundle = leaky('pushed');
    const artifact = aPackArtifact(bundle);
    for (const { bytes: body, digest } of artifact.blobs) {
      const pushed = await owner.send('POST', `/v2/${owner.tenant}/pushed/blobs/uploads/`, { query: { digest }, body });
      expect(pushed.status).toBe(201);
    }
    const path = `/v2/${owner.tenant}/pushed/manifests/1.0.0`;
    const refused = await owner.send<{ errors: { code: string }[] }>('PUT', path, {
      headers: { 'content-type': OCI_MANIFEST },
      body: artifact.bytes,
    });
    expect([refused.status, refused.body.errors.map(({ code }) => code)]).toEqual([400, ['MANIFEST_INVALID']]);
    expect(refused.bytes.toString()).not.toContain(RANDOM.slice(0, 8));
    expect((await owner.get(path)).status).toBe(404);
    expect(await registry.sql('select 1 from registry.pending_versions where tenant = $1', [owner.tenant])).toEqual([]);
  });

  it('is taken by a tenant that does not look', async () => {
    expect((await owner.put<ScanningView>('/api/scanning', { secrets: 'off' })).body).toEqual({ secrets: 'off', malware: 'on' });
    expect((await publish(leaky('unseen'))).status).toBe(201);
    await eventually(async () => {
      const events = (await owner.audit()).filter(({ type }) => type === 'registry.scanning.updated');
      expect(events.map(({ data }) => data['settings'])).toEqual([{ secrets: 'off', malware: 'on' }]);
    });
    expect((await (await registry.caller()).get('/api/scanning')).body).toEqual({ secrets: 'on', malware: 'on' });
  });
});

describe('clamd', () => {
  const tool = (packId: string): Bundle => aBundle(aManifest(packId), [{ path: 'bin/tool', content: 'content' }]);
  const scans = async (packId: string): Promise<string[]> =>
    scansOf((await owner.version(packId, '1.0.0')).body.verdict.checks).map(({ scanner, reason }) => `${scanner} ${reason}`);

  it('is shown every file, and what it finds is refused', async () => {
    expect((await publish(tool('good'))).status).toBe(201);
    expect(clamd.streams.map(String)).toContain('content');
    expect(await scans('good')).toEqual(['secrets ok', 'malware ok']);
    clamd.script = { does: 'answer', text: 'stream: Win.Test.EICAR_HDB-1 FOUND' };
    const refused = await publish(tool('bad'));
    expect([refused.status, new Set(codesOf(refused))]).toEqual([422, new Set(['ERR_PACK_MALWARE_FOUND'])]);
  });

  it('that is gone is passed over or waited for, as the tenant says', async () => {
    await clamd.stop();
    try {
      expect((await publish(tool('passed'))).status).toBe(201);
      expect(await scans('passed')).toEqual(['malware scan-unavailable', 'secrets ok']);
      await owner.put('/api/scanning', { malware: 'required' });
      const waits = await publish(tool('waits'));
      expect([waits.status, waits.body.code]).toEqual([503, 'ERR_PACK_SCAN_UNAVAILABLE']);
      expect((await owner.version('waits', '1.0.0')).status).toBe(404);
      expect(await registry.metric('verifier', 'registry_scanner_up', 'scanner="malware"')).toBe(0);
    } finally {
      clamd = await ScriptedClamd.start(port);
    }
    expect((await publish(tool('waits'))).status).toBe(201);
    expect(await registry.metric('verifier', 'registry_scanner_up', 'scanner="malware"')).toBe(1);
    expect(await registry.metric('verifier', 'registry_pack_scan_seconds_count', 'scanner="malware"', 'result="ok"')).toBeGreaterThan(0);
  });

  it('at work while the verifier is killed leaves nothing half made, and the same publish is done afterwards', async () => {
    clamd.script = { does: 'say-nothing' };
    const begun = clamd.begun;
    const bundle = tool('cut-off');
    const asked = publish(bundle).catch(() => undefined);
    await eventually(() => expect(clamd.begun).toBeGreaterThan(begun));
    await registry.part('verifier').without(async () => {
      expect((await asked)?.status ?? 503).toBe(503);
      await expectAbsent(bundle);
    });
    clamd.script = CLEAN;
    expect((await publish(bundle)).status).toBe(201);
    expect(await scans('cut-off')).toEqual(['secrets ok', 'malware ok']);
  });
});
