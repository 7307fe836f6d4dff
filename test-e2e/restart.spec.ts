import { readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { PROCESSES, type MirrorList, type ParityResponse, type ProcessName, type TrustAnswer, type VersionView } from '@packs/contracts';
import { eventually, freePort } from '@packs/testing';
import { signalProcess } from '../tools/stack/end-process';
import type { Caller } from './caller';
import { allVersions, leafHashOf } from './client-log-checker';
import { NpmStart, running } from './npm-start';
import { aBundle, aManifest, digestOf } from './pack-bundle';
import { SigningKey } from './signing-key';

const PARTS = [...PROCESSES, 'authority', 'nats-server', 'postgres'].toSorted();
/** The first start publishes the samples and shows them on their way to a second registry. */
const FIRST_MS = 120_000;
/** It takes some seconds; the machine may have other things to do. */
const QUICK_MS = 30_000;
const dataDir = NpmStart.dataDir('restarted');
const key = new SigningKey('release');
const runs: NpmStart[] = [];
let port: number;
let latest: NpmStart;
let before: readonly VersionView[];

async function start(until?: string): Promise<NpmStart> {
  latest = await NpmStart.run(dataDir, port, until);
  runs.push(latest);
  return latest;
}

function logOf(process: ProcessName): readonly Readonly<Record<string, unknown>>[] {
  const lines = readFileSync(join(dataDir, 'logs', `${process}.log`), 'utf8')
    .trimEnd()
    .split('\n');
  return lines.map(line => JSON.parse(line) as Record<string, unknown>);
}

async function publish(by: Caller, version: string, packId = 'kept'): Promise<void> {
  const bundle = aBundle(aManifest(packId, version));
  const { status, body } = await by.publish(bundle, { signatures: [key.sigstore(bundle.bytes)] });
  expect([version, status, body.code]).toEqual([version, 201, undefined]);
}

/** Everything is as it was told, with its bytes; the audit log has each once. */
async function expectAllKept(expected: readonly VersionView[]): Promise<void> {
  const reader = await latest.client('acme-admin');
  const byName = (versions: readonly VersionView[]) =>
    versions.toSorted((a, b) => `${a.packId}@${a.version}`.localeCompare(`${b.packId}@${b.version}`));
  expect(byName(await allVersions(reader))).toEqual(byName(expected));
  for (const { packId, version, digest } of expected) expect(digestOf((await reader.bundle(packId, version)).bytes)).toBe(digest);
  await eventually(async () => {
    const entries = await reader.audit();
    const published = entries.filter(({ type }) => type === 'pack.version.published').map(entry => `${entry.packId}@${entry.version}`);
    expect(published.toSorted()).toEqual(expected.map(({ packId, version }) => `${packId}@${version}`).toSorted());
    expect(entries.map(({ seq }) => seq)).toEqual(entries.map((_, at) => at + 1));
    expect(entries.map(({ leafHash }) => leafHash)).toEqual(entries.map(leafHashOf));
  });
}

beforeAll(async () => {
  port = await freePort();
  await start();
  const admin = await latest.client('acme-admin');
  // Beside the key the samples are signed with.
  const { keys } = (await admin.get<TrustAnswer>('/api/trust')).body;
  const trusted = [...keys, key].map(({ name, publicKey, scheme }) => ({ name, publicKey, scheme }));
  expect((await admin.put('/api/trust', { keys: trusted })).status).toBe(200);
  expect((await admin.policy({ anyOf: trusted.map(({ name }) => ({ keyRef: name })) })).status).toBe(200);
  await publish(admin, '1.0.0');
  before = await allVersions(admin);
  await eventually(async () => {
    const { mirrors } = (await admin.get<MirrorList>('/api/mirrors')).body;
    expect(mirrors).toMatchObject([{ pendingSince: null }]);
    expect((await admin.get<ParityResponse>('/api/parity')).body.mirrors).toMatchObject([{ inStep: true }]);
  });
}, FIRST_MS);

afterAll(() => NpmStart.endAll(dataDir));

it('the first start publishes the samples', () => {
  expect(latest.processes.map(({ name }) => name).toSorted()).toEqual(PARTS);
  expect(before.map(({ packId }) => packId)).toHaveLength(5);
  expect(latest.said).not.toContain('already');
});

it('the first start shows a pack on its whole way, into a sealed registry that has nothing else', () => {
  const shown = [
    /^ {2}promotion .* policy-baseline 1\.2\.0 is in stable$/m,
    /^ {2}mirror .* OCI image layout in \S+\/mirrors\/acme\/local, 4 versions synced$/m,
    /^ {2}parity .* mirror local is in step: 4 versions compared, every byte$/m,
    /^ {2}compliance .* 4 packs, 4 versions: 100% signed, 0% attested, 0 scanned by all, 4 by some, 0 by no scanner$/m,
    /^ {2}offline kit .* generation \d+, versions: 1, signature in \S+\/kits\/stable\.tar\.sigstore\.json$/m,
    /^ {2}second registry .* http:\/\/127\.0\.0\.1:\d+, data in \S+\/site-b$/m,
    /^ {2}import .* sealed by configuration, packs before: 0, after: 1$/m,
    /^ {2}fetched there .* policy-baseline 1\.2\.0, signature checked, the same digest sha256:[0-9a-f]{12}\.\.\.$/m,
    /^ {2}publish there .* sbom-remediation 1\.0\.0 is refused with ERR_PACK_SEALED$/m,
    /^ {2}second registry .* stopped, its data is kept$/m,
  ];
  for (const line of shown) expect(latest.said).toMatch(line);
  expect(running(latest.besides)).toEqual([]);
});

describe('after Ctrl-C', () => {
  it('nothing it has started runs any more, and it ends without complaint', async () => {
    const started = latest.processes;
    expect(running(started).toSorted()).toEqual(PARTS);
    expect(await latest.interrupt()).toBe(0);
    expect(running(started)).toEqual([]);
    for (const process of PROCESSES)
      expect([process, logOf(process).at(-1)]).toEqual([process, expect.objectContaining({ msg: 'stopped' })]);
    expect(latest.said).toContain('Everything that was started has ended. The data is kept.');
  });

  it('the next start is quick, finds the samples published, at the same addresses', async () => {
    const [first] = runs;
    const { said, ready } = await start();
    expect(ready.ms).toBeLessThan(QUICK_MS);
    expect(said.match(/is published already/g)).toHaveLength(4);
    expect(said).toMatch(/policy-baseline 1\.2\.0 is in stable already\n.* is synced already\n.* is in step already\n/);
    expect(said).toMatch(/kit of generation \d+ is imported already/);
    expect(said).not.toContain('$ npx stella');
    expect(said).not.toContain('left over');
    expect([latest.address('API'), latest.address('Authority')]).toEqual([first?.address('API'), first?.address('Authority')]);
  });

  it('all data is kept', () => expectAllKept(before));
});

describe('after the launcher was killed', () => {
  let orphans: ReturnType<() => NpmStart['processes']>;

  it('what it has started runs on, and works', async () => {
    orphans = latest.processes;
    await latest.kill();
    expect(running(orphans).toSorted()).toEqual(PARTS);
    const admin = await latest.client('acme-admin');
    await publish(admin, '1.1.0');
    before = await allVersions(admin);
    expect(before).toHaveLength(6);
  });

  it('the next start ends every orphan and takes its place', async () => {
    const { said, processes, ready } = await start();
    expect(ready.ms).toBeLessThan(QUICK_MS);
    for (const { name, identity } of orphans)
      expect(said).toContain(`ending ${name} (process ${identity.pid}), left over from an earlier run`);
    expect(running(orphans)).toEqual([]);
    expect(running(processes).toSorted()).toEqual(PARTS);
  });

  it('all data is kept, what was published to the orphans too', () => expectAllKept(before));
});

describe('after everything was killed at once', () => {
  it('starts again, and nothing that was acknowledged is lost', async () => {
    const admin = await latest.client('acme-admin');
    const { processes } = latest;
    await publish(admin, '1.2.0');
    before = await allVersions(admin);
    // Acknowledged a moment before: its event may still be on its way.
    await publish(admin, '1.0.0', 'kept-too');
    await latest.kill();
    for (const { identity } of processes) signalProcess(identity, 'SIGKILL');
    await eventually(() => expect(running(processes)).toEqual([]));

    const { ready } = await start();
    expect(ready.ms).toBeLessThan(QUICK_MS);
    const { body: last } = await (await latest.client('acme-admin')).version('kept-too', '1.0.0');
    expect([last.code, last.digest]).toEqual([undefined, aBundle(aManifest('kept-too')).digest]);
    await expectAllKept([...before, last]);
  });

  it('and it still ends in good order', async () => {
    const { processes } = latest;
    expect(await latest.interrupt()).toBe(0);
    expect(running(processes)).toEqual([]);
  });
});

describe('while the second registry runs', () => {
  const IMPORTING = '$ npx stella pack mirror import';
  const BESIDES = PARTS.filter(name => name !== 'parity-worker');
  beforeAll(() => rmSync(join(dataDir, 'site-b', 'imported.json')));

  let orphans: NpmStart['processes'];

  it('and the launcher is killed, both run on', async () => {
    const killed = await start(IMPORTING);
    orphans = [...killed.processes, ...killed.besides];
    await killed.kill();
    expect(running(orphans).toSorted()).toEqual([...PARTS, ...BESIDES].toSorted());
  });

  it('the next start ends both and begins again', async () => {
    const { said } = await start(IMPORTING);
    for (const { name, identity } of orphans)
      expect(said).toContain(`ending ${name} (process ${identity.pid}), left over from an earlier run`);
    expect(running(orphans)).toEqual([]);
  });

  it('Ctrl-C ends both', async () => {
    const { processes, besides } = latest;
    expect([running(processes).toSorted(), running(besides).toSorted()]).toEqual([PARTS, BESIDES]);
    expect(await latest.interrupt()).toBe(0);
    expect(running([...processes, ...besides])).toEqual([]);
    expect(latest.said).toContain('Everything that was started has ended. The data is kept.');
  });
});
