import { randomBytes } from 'node:crypto';
import { eventually } from '@packs/testing';
import type { Caller } from './caller';
import { waitsForLock, whileLocked } from './database-lock';
import { aPackArtifact, aSignatureOf, anImage, ociBlob, type OciArtifact, type OciBlob } from './oci-content';
import { LoggingCaller, type Exchange } from './oci-log';
import { RULES } from './oci-log-checker';
import { OciPushingClient } from './oci-pushing-client';
import { aBundle, aManifest } from './pack-bundle';
import { Registry } from './registry';
import { SigningKey } from './signing-key';

jest.setTimeout(120_000);

const MIB = 1024 * 1024;
/** The gateway gives a publisher more time than a client has here. */
const PATIENCE_MS = 3_000;
const key = new SigningKey('release');
let registry: Registry;
let owner: Caller;
let log: Exchange[];
let client: OciPushingClient;
let reader: LoggingCaller;

beforeAll(async () => {
  registry = await Registry.shared();
});

beforeEach(async () => {
  owner = await registry.caller();
  await owner.trust(key);
  await owner.policy({ keyRef: 'release' }, { unsigned: 'pending' });
  log = [];
  client = new OciPushingClient(new LoggingCaller('pushes', 'writer', owner, log, PATIENCE_MS), owner.tenant);
  reader = new LoggingCaller('reads', 'reader', await registry.caller(owner.tenant, 'packs.read'), log);
});

afterEach(() => {
  for (const [rule, faults] of Object.entries(RULES)) expect([rule, faults(log)]).toEqual([rule, []]);
});

type Victim = 'api-gateway' | 'publisher' | 'verifier';

/** Kills `victim` where it, or the publisher on its behalf, waits for `lock`; its client goes on by itself as soon as there is another. */
async function killedAt(
  victim: Victim,
  lock: string,
  push: () => Promise<boolean>,
  waiter: Victim = lock.startsWith('registry.') ? 'publisher' : 'api-gateway',
): Promise<{ pushed: Promise<boolean> }> {
  return whileLocked(registry, `lock table ${lock} in share mode`, [], async () => {
    const pushed = push();
    // The relay marks what it sent: that is not the change that is waited for.
    await waitsForLock(registry, waiter, { but: 'set sent_at' });
    await registry.part(victim).kill('SIGKILL');
    return { pushed };
  });
}

/** As its change allows while its client was not answered, then there as a whole, by nothing but what its client does. */
async function expectNothingThenAll(
  victim: Victim,
  { pushed }: { pushed: Promise<boolean> },
  isAllowed: () => Promise<void>,
): Promise<void> {
  try {
    // Without its gateway nobody is told anything.
    if (victim !== 'api-gateway') await isAllowed();
  } finally {
    await registry.part(victim).start();
  }
  expect(await pushed).toBe(true);
}

async function readBack(repository: string, { digest, blobs }: OciArtifact, tag: string | null): Promise<void> {
  expect((await client.as.readManifest(owner.tenant, repository, digest))?.status).toBe(200);
  if (tag !== null) expect((await client.as.readTag(owner.tenant, repository, tag))?.headers.get('docker-content-digest')).toBe(digest);
  for (const blob of blobs) expect((await client.as.readBlob(owner.tenant, repository, blob.digest))?.status).toBe(200);
}

async function expectAbsent(repository: string, { digest }: OciArtifact, tag: string): Promise<void> {
  expect((await client.as.readManifest(owner.tenant, repository, digest))?.status).toBe(404);
  expect((await client.as.readTag(owner.tenant, repository, tag))?.status).toBe(404);
}

/** Recorded by one statement, which the server may carry out for a process that has died: it is there as a whole, or not at all. */
async function expectAbsentOrWhole(repository: string, artifact: OciArtifact, tag: string): Promise<void> {
  const tagged = (await client.as.readTag(owner.tenant, repository, tag))?.status;
  // It may have come to be there just now.
  if ((await client.as.readManifest(owner.tenant, repository, artifact.digest))?.status === 200) return readBack(repository, artifact, tag);
  expect(tagged).toBe(404);
}

describe('the gateway is killed', () => {
  it.each([
    ['as it begins an upload', 'gateway.uploads', MIB],
    ['before a blob of one request is on record', 'content.blobs', Infinity],
    ['before a blob of many chunks is on record', 'content.blobs', MIB],
    ['before a blob is its repository’s', 'content.repository_blobs', MIB],
  ])('%s: the client pushes it all the same', async (_, lock, chunk) => {
    const blob = ociBlob(randomBytes(3 * MIB));
    const { pushed } = await killedAt('api-gateway', lock, () => client.pushBlob('team/app', blob, chunk));
    await registry.part('api-gateway').start();
    expect(await pushed).toBe(true);
    expect((await client.as.readBlob(owner.tenant, 'team/app', blob.digest))?.bytes.equals(blob.bytes)).toBe(true);
  });

  it('with a chunk in its hands: the client goes on where it was told to', async () => {
    const blob: OciBlob = ociBlob(randomBytes(6 * MIB));
    const pushed = client.pushBlob('team/app', blob, 64 * 1024);
    const steps = () => log.filter(({ about, status }) => about.act === 'step' && status === 202).length;
    for (const some of [20, 60]) {
      await eventually(() => expect(steps()).toBeGreaterThan(some), 30_000);
      await registry.part('api-gateway').without(async () => undefined);
    }
    expect(await pushed).toBe(true);
    expect((await client.as.readBlob(owner.tenant, 'team/app', blob.digest))?.bytes.equals(blob.bytes)).toBe(true);
    // Begun once: each death cost the chunk that was on its way.
    expect(log.filter(({ about }) => about.act === 'push-blob').length).toBeLessThanOrEqual(2);
  });
});

describe('while a manifest is put', () => {
  // What refers to something is recorded by the publisher, anything else of a generic repository by the gateway that received it.
  it.each<[Victim, Victim, string]>([
    ['api-gateway', 'api-gateway', 'content.blobs'],
    ['api-gateway', 'api-gateway', 'registry.manifests'],
    ['api-gateway', 'api-gateway', 'registry.tags'],
    ['api-gateway', 'publisher', 'content.blobs'],
    ['api-gateway', 'publisher', 'registry.tags'],
    ['publisher', 'publisher', 'content.blobs'],
    ['publisher', 'publisher', 'registry.manifests'],
    ['publisher', 'publisher', 'registry.tags'],
  ])('the %s is killed before the row of the %s in %s', async (victim, recorder, lock) => {
    const about = recorder === 'publisher' ? anImage('subject', []) : undefined;
    const image = anImage('config', [randomBytes(1000)], about);
    for (const blob of image.blobs) await client.pushBlob('team/app', blob);
    const killed = await killedAt(victim, lock, () => client.pushManifest('team/app', image, 'v1'), recorder);
    await expectNothingThenAll(victim, killed, () => expectAbsentOrWhole('team/app', image, 'v1'));
    await readBack('team/app', image, 'v1');
  });

  it('the publisher is away: what needs nobody to judge it is recorded all the same', async () => {
    const image = anImage('config', [randomBytes(1000)]);
    for (const blob of image.blobs) await client.pushBlob('team/app', blob);
    await registry.part('publisher').without(async () => {
      expect(await client.pushManifest('team/app', image, 'v1')).toBe(true);
      await readBack('team/app', image, 'v1');
    });
  });
});

describe('while a pack is put', () => {
  const aPack = () => aPackArtifact(aBundle(aManifest('tool')));
  const readersSee = async ({ digest, blobs }: OciArtifact): Promise<readonly (number | undefined)[]> => {
    const answers = [await reader.readManifest(owner.tenant, 'tool', digest), await reader.readTag(owner.tenant, 'tool', '1.0.0')];
    for (const blob of blobs) answers.push(await reader.readBlob(owner.tenant, 'tool', blob.digest));
    return answers.map(answer => answer?.status);
  };

  it.each<[Victim, string]>([
    ['publisher', 'registry.manifests'],
    ['publisher', 'registry.pending_versions'],
    ['publisher', 'registry.outbox'],
  ])('the %s is killed before its row in %s', async (victim, lock) => {
    const pack = aPack();
    for (const blob of pack.blobs) await client.pushBlob('tool', blob);
    const killed = await killedAt(victim, lock, () => client.pushManifest('tool', pack, '1.0.0', { version: '1.0.0' }));
    await expectNothingThenAll(victim, killed, () => expectAbsent('tool', pack, '1.0.0'));
    await readBack('tool', pack, '1.0.0');
    expect(await readersSee(pack)).toEqual([404, 404, 404, 404]);
  });

  it('the verifier is killed with the bundle in its hands', async () => {
    const pack = aPack();
    for (const blob of pack.blobs) await client.pushBlob('tool', blob);
    const verifier = registry.part('verifier');
    await verifier.kill('SIGSTOP');
    const pushed = client.pushManifest('tool', pack, '1.0.0', { version: '1.0.0' });
    await eventually(async () => {
      expect(await registry.sql('select 1 from content.blobs where digest = $1', [pack.digest])).toHaveLength(1);
    });
    await verifier.kill('SIGKILL');
    await expectNothingThenAll('verifier', { pushed }, () => expectAbsent('tool', pack, '1.0.0'));
    await readBack('tool', pack, '1.0.0');
  });

  it.each<[Victim, string]>([
    ['api-gateway', 'registry.pack_versions'],
    ['publisher', 'registry.pack_versions'],
    ['publisher', 'registry.signatures'],
    ['publisher', 'registry.outbox'],
  ])('that waits for the signature: the %s is killed before its row in %s', async (victim, lock) => {
    const pack = aPack();
    await client.push('tool', pack, '1.0.0', { version: '1.0.0' });
    const signature = aSignatureOf(pack, key);
    for (const blob of signature.blobs) await client.pushBlob('tool', blob);
    const killed = await killedAt(victim, lock, () => client.pushManifest('tool', signature, null, { signs: pack.digest }));
    await expectNothingThenAll(victim, killed, async () => expect(await readersSee(pack)).toEqual([404, 404, 404, 404]));
    expect(await readersSee(pack)).toEqual([200, 200, 200, 200]);
    await readBack('tool', pack, '1.0.0');
    await readBack('tool', signature, null);
    expect((await owner.version('tool', '1.0.0')).body.manifestDigest).toBe(pack.digest);
    // What is told of it is in the record by now, once; the log has it as soon as it was carried there.
    const recorded = `select 1 from registry.outbox where tenant = $1 and subject = 'pack.version.published'`;
    expect(await registry.sql(recorded, [owner.tenant])).toHaveLength(1);
    await eventually(async () => {
      expect((await owner.audit()).filter(({ type }) => type === 'pack.version.published')).toHaveLength(1);
    });
  });
});
