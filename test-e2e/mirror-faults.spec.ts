import { execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, mkdtempSync, readdirSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import type { MirrorResponse, ParityCheckView } from '@packs/contracts';
import { eventually } from '@packs/testing';
import type { Caller } from './caller';
import { waitsForLock, whileLocked } from './database-lock';
import { addMirror, ask, ended, idle, jobOf, parityOf, sync } from './mirror-calls';
import { blobsIn, ImageLayout } from './mirror-files';
import { aBundle, aManifest, type Bundle } from './pack-bundle';
import { newTenant, Registry } from './registry';
import { SigningKey } from './signing-key';

const LEASE_MS = 1_000;
const DEADLINE_MS = 10_000;
/** After each but the last there is a pause: 1, 2 and 4 seconds. */
const ATTEMPTS = 4;
const key = new SigningKey('release');
let registry: Registry;

jest.setTimeout(120_000);

beforeAll(async () => {
  registry = await Registry.start({
    MIRROR_LEASE_MS: String(LEASE_MS),
    MIRROR_ATTEMPTS: String(ATTEMPTS),
    MIRROR_RUN_DEADLINE_MS: String(DEADLINE_MS),
  });
});
afterAll(() => registry.end());

async function aPublisher(): Promise<Caller> {
  const caller = await registry.caller();
  await caller.accept(key);
  return caller;
}

async function publish(caller: Caller, packId: string, filler = ''): Promise<Bundle> {
  const bundle = aBundle(aManifest(packId), filler ? [{ path: 'filler.txt', content: filler }] : []);
  const { status, body } = await caller.publish(bundle, { signatures: [key.sigstore(bundle.bytes)] });
  expect([status, body.code]).toEqual([201, undefined]);
  return bundle;
}

const mirrorsFolder = (): string => join(registry.facts.dataDir, 'mirrors');
const folderOf = (mirror: MirrorResponse): string => join(mirrorsFolder(), mirror.tenant, mirror.location);

/** A mirror whose changes are not brought to it by themselves, until its settings are changed. */
const aQuietMirror = (caller: Caller): Promise<MirrorResponse> => addMirror(caller, { enabled: false });

async function enable(caller: Caller, { id, name, kind, location }: MirrorResponse): Promise<void> {
  expect((await caller.put(`/api/mirrors/${id}`, { name, kind, location, enabled: true })).status).toBe(200);
}

describe('a target', () => {
  // Only who may mount can make a small file system.
  (mayMount() ? it : it.skip)(
    'that is full fails the job with its own code, shows what it showed before, and is finished once there is room (needs mount)',
    async () => {
      const caller = await aPublisher();
      await publish(caller, 'small');
      const mirror = await addMirror(caller);
      const folder = folderOf(mirror);
      mkdirSync(folder, { recursive: true });
      execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=256k', 'tmpfs', folder]);
      try {
        expect((await sync(caller, mirror)).state).toBe('succeeded');
        await publish(caller, 'large', randomText(400_000));
        const [failed] = await idle(caller, mirror, 2);
        expect(failed).toMatchObject({ state: 'failed', attempts: ATTEMPTS, error: { code: 'ERR_MIRROR_TARGET_FULL' } });
        const layout = new ImageLayout(folder);
        expect(layout.state.versions.map(({ packId }) => packId)).toEqual(['small']);
        expect(layout.proveAll()).toBeGreaterThan(0);
        expect(readdirSync(join(folder, '.work'))).toEqual([]);
        await eventually(async () => {
          const [told] = await caller.audit({ type: 'mirror.sync.failed' });
          expect(told?.data).toMatchObject({ mirrorId: mirror.id, reason: 'ERR_MIRROR_TARGET_FULL', attempts: ATTEMPTS });
        });
        const { body } = await caller.get<MirrorResponse>(`/api/mirrors/${mirror.id}`);
        expect(body.pendingSince).not.toBeNull();
        expect(await registry.metric('mirror-worker', 'registry_pack_mirror_lag_seconds')).toBeGreaterThan(0);
        execFileSync('mount', ['-o', 'remount,size=8m', folder]);
        expect((await sync(caller, mirror)).state).toBe('succeeded');
        expect(layout.state.versions.map(({ packId }) => packId)).toEqual(['large', 'small']);
        expect((await caller.get<MirrorResponse>(`/api/mirrors/${mirror.id}`)).body.pendingSince).toBeNull();
      } finally {
        // Lazily: a comparison may have a file of it open.
        execFileSync('umount', ['--lazy', folder]);
      }
    },
  );

  it('that cannot be written to fails the job with its own code', async () => {
    const caller = await aPublisher();
    await publish(caller, 'hello');
    const mirror = await addMirror(caller);
    mkdirSync(dirname(folderOf(mirror)), { recursive: true });
    writeFileSync(folderOf(mirror), 'a file where the folder should be');
    expect(await sync(caller, mirror)).toMatchObject({
      state: 'failed',
      attempts: ATTEMPTS,
      error: { code: 'ERR_MIRROR_TARGET_UNWRITABLE' },
    });
    rmSync(folderOf(mirror));
    expect((await sync(caller, mirror)).state).toBe('succeeded');
  });

  (mayMount() ? it : it.skip)(
    'that is read-only fails the job with its own code, and is finished once it can be written to (needs mount)',
    async () => {
      const caller = await aPublisher();
      await publish(caller, 'first');
      const mirror = await addMirror(caller);
      const folder = folderOf(mirror);
      mkdirSync(folder, { recursive: true });
      execFileSync('mount', ['-t', 'tmpfs', 'tmpfs', folder]);
      try {
        expect((await sync(caller, mirror)).state).toBe('succeeded');
        execFileSync('mount', ['-o', 'remount,ro', folder]);
        await publish(caller, 'second');
        const [failed] = await idle(caller, mirror, 2);
        expect(failed).toMatchObject({ state: 'failed', attempts: ATTEMPTS, error: { code: 'ERR_MIRROR_TARGET_UNWRITABLE' } });
        const layout = new ImageLayout(folder);
        expect(layout.state.versions.map(({ packId }) => packId)).toEqual(['first']);
        expect((await parityOf(caller, mirror)).inStep).toBe(false);
        execFileSync('mount', ['-o', 'remount,rw', folder]);
        expect((await sync(caller, mirror)).state).toBe('succeeded');
        expect(layout.state.versions.map(({ packId }) => packId)).toEqual(['first', 'second']);
        await eventually(async () => expect((await parityOf(caller, mirror)).inStep).toBe(true));
      } finally {
        execFileSync('umount', ['--lazy', folder]);
      }
    },
  );

  it('that vanishes in the middle of a sync fails the attempt with its own code, is in step at no time, and is finished once it is back', async () => {
    const caller = await aPublisher();
    const mirror = await aQuietMirror(caller);
    for (let n = 0; n < 20; n++) await publish(caller, `pack-${n}`);
    await enable(caller, mirror);
    const away = `${mirrorsFolder()}-away`;
    const job = await whileLocked(registry, 'lock table mirror.copies in exclusive mode', [], async () => {
      const asked = await ask(caller, mirror);
      await waitsForLock(registry, 'mirror-worker');
      expect((await blobsIn(folderOf(mirror))).length).toBeGreaterThan(0);
      renameSync(mirrorsFolder(), away);
      return asked;
    });
    try {
      await eventually(async () =>
        expect(await jobOf(caller, job)).toMatchObject({ state: 'running', error: { code: 'ERR_MIRROR_TARGET_UNAVAILABLE' } }),
      );
      const { body: asked } = await caller.send<ParityCheckView>('POST', '/api/parity/checks', { json: { mirrorId: mirror.id } });
      await eventually(async () => {
        const { body: check } = await caller.get<ParityCheckView>(`/api/parity/checks/${asked.id}`);
        expect([check.inStep, check.error?.code]).toEqual([null, 'ERR_MIRROR_TARGET_UNAVAILABLE']);
      });
      expect((await parityOf(caller, mirror)).inStep).toBe(false);
    } finally {
      renameSync(away, mirrorsFolder());
    }
    const done = await ended(caller, job);
    expect(done).toMatchObject({ state: 'succeeded', progress: { versions: 20 } });
    expect(done.attempts).toBeGreaterThan(1);
    const layout = new ImageLayout(folderOf(mirror));
    expect(layout.state.versions).toHaveLength(20);
    expect(layout.proveAll()).toBeGreaterThan(0);
    await eventually(async () => expect((await parityOf(caller, mirror)).inStep).toBe(true), 15_000);
  });

  it('that vanishes while nothing changes is not said to be in step, until it is back', async () => {
    const caller = await aPublisher();
    await publish(caller, 'hello');
    const mirror = await addMirror(caller);
    await sync(caller, mirror);
    await eventually(async () => expect(await parityOf(caller, mirror)).toMatchObject({ inStep: true }));
    const away = `${mirrorsFolder()}-away`;
    renameSync(mirrorsFolder(), away);
    try {
      expect((await caller.send('POST', '/api/parity/checks', { json: { mirrorId: mirror.id } })).status).toBe(202);
      await eventually(async () =>
        expect(await parityOf(caller, mirror)).toMatchObject({ inStep: false, error: { code: 'ERR_MIRROR_TARGET_UNAVAILABLE' } }),
      );
    } finally {
      renameSync(away, mirrorsFolder());
    }
    await eventually(async () => expect(await parityOf(caller, mirror)).toMatchObject({ inStep: true, error: null }), 15_000);
  });
});

// Only who may trace a process can hold up its system calls.
(mayTrace() ? describe : describe.skip)('a slow target (needs strace)', () => {
  it('has its job for as long as it takes, and holds up no publish', async () => {
    const caller = await aPublisher();
    const mirror = await aQuietMirror(caller);
    for (let n = 0; n < 8; n++) await publish(caller, `pack-${n}`);
    await enable(caller, mirror);
    await whileSlow(400, async () => {
      const job = await ask(caller, mirror);
      await eventually(async () => expect((await blobsIn(folderOf(mirror))).length).toBeGreaterThan(0));
      for (let n = 0; n < 3; n++) await publish(caller, `meanwhile-${n}`);
      expect(await jobOf(caller, job)).toMatchObject({ state: 'running', attempts: 1, error: null });
      const done = await ended(caller, job, DEADLINE_MS);
      expect(done).toMatchObject({ state: 'succeeded', attempts: 1 });
      const { startedAt, finishedAt } = done;
      expect(Date.parse(finishedAt ?? '') - Date.parse(startedAt ?? '')).toBeGreaterThan(2 * LEASE_MS);
    });
    await idle(caller, mirror, 2);
    expect(new ImageLayout(folderOf(mirror)).state.versions).toHaveLength(11);
  });

  it('that is too slow fails the attempt with its own code, and what was copied is not copied again', async () => {
    const caller = await aPublisher();
    const mirror = await aQuietMirror(caller);
    for (let n = 0; n < 8; n++) await publish(caller, `pack-${n}`);
    await enable(caller, mirror);
    const job = await whileSlow(3_000, async () => {
      const asked = await ask(caller, mirror);
      await eventually(
        async () => expect(await jobOf(caller, asked)).toMatchObject({ state: 'running', error: { code: 'ERR_MIRROR_DEADLINE' } }),
        DEADLINE_MS + 10_000,
      );
      expect(new ImageLayout(folderOf(mirror)).exists).toBe(false);
      expect((await parityOf(caller, mirror)).inStep).toBe(false);
      return asked;
    });
    const done = await ended(caller, job, 2 * DEADLINE_MS);
    expect(done).toMatchObject({ state: 'succeeded', progress: { versions: 8, skipped: 0 } });
    expect(done.progress.copiedBytes).toBeLessThan(done.progress.bytes);
    expect(new ImageLayout(folderOf(mirror)).proveAll()).toBeGreaterThan(0);
  });
});

/** The mirror-worker's files take this much longer to become durable while `work` runs; nobody else's do. */
async function whileSlow<T>(delayMs: number, work: () => Promise<T>): Promise<T> {
  const pid = await registry.part('mirror-worker').pid();
  const inject = `inject=fdatasync:delay_enter=${delayMs * 1_000}`;
  const tracer = spawn('strace', ['-f', '-p', String(pid), '-e', 'trace=fdatasync', '-e', inject, '-o', '/dev/null']);
  const ended = once(tracer, 'exit');
  await once(tracer.stderr, 'data');
  try {
    return await work();
  } finally {
    tracer.kill('SIGTERM');
    await ended;
  }
}

function mayTrace(): boolean {
  try {
    execFileSync('strace', ['-f', '-o', '/dev/null', 'true'], { stdio: 'ignore' });
    return true;
  } catch {
    return false;
  }
}

function mayMount(): boolean {
  const folder = mkdtempSync(join(tmpdir(), 'mount-'));
  try {
    execFileSync('mount', ['-t', 'tmpfs', 'tmpfs', folder], { stdio: 'ignore' });
    execFileSync('umount', [folder], { stdio: 'ignore' });
    return true;
  } catch {
    return false;
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/** Text that does not get smaller when it is compressed. */
function randomText(length: number): string {
  return Array.from({ length: length / 16 }, () => newTenant().slice(1) + newTenant().slice(1, 5)).join('');
}
