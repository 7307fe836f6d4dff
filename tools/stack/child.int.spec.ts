import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Child, type ChildSpec } from './child';
import { endProcess } from './end-process';
import { identify } from './process-identity';
import { orphansAmong, RunRecord } from './run-record';

// Real processes: what is tested is how the operating system and this code agree about who runs.
describe('Child', () => {
  let folder: string;
  let record: RunRecord;
  const started: Child[] = [];
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'child-'));
    mkdirSync(join(folder, 'logs'));
    record = new RunRecord(folder);
  });
  afterEach(async () => {
    for (const child of started.splice(0)) await child.stop();
    rmSync(folder, { recursive: true });
  });

  const aChild = (script: string, overrides: Partial<ChildSpec> = {}, onCrash?: (child: Child) => void) => {
    const logFile = join(folder, 'logs', 'child.log');
    const ready = () => Promise.resolve(child.logs().includes('up'));
    const spec: ChildSpec = {
      name: 'child',
      tier: 'worker',
      command: process.execPath,
      args: ['-e', script],
      env: {},
      logFile,
      ready,
      ...overrides,
    };
    const child: Child = new Child(spec, record, onCrash);
    started.push(child);
    return child;
  };
  const RUNS = 'console.log("up", process.env.HOME); setInterval(() => {}, 1000);';

  it('inherits nothing of the environment', async () => {
    const child = aChild(RUNS);
    await child.start();
    expect(child.logs()).toBe('up undefined');
  });

  it('reports a process that ends before it is ready with its last words', async () => {
    const child = aChild('console.error("PUBLISHER_PORT is missing"); process.exit(2)');
    await expect(child.start()).rejects.toThrow(/child ended with code 2.*\nPUBLISHER_PORT is missing/s);
    expect(record.previous()).toEqual([]);
  });

  it('reports a process that does not get ready in time, and ends it', async () => {
    const child = aChild('setInterval(() => {}, 1000)', { readyWithinMs: 300 });
    await expect(child.start()).rejects.toThrow(/was not ready within 0.3 s/);
    expect(child.pid).toBeUndefined();
  });

  it('reports a command that does not exist', async () => {
    await expect(aChild('', { command: '/nonexistent' }).start()).rejects.toThrow(/could not be run/);
  });

  it('insists when a process ignores the request to end', async () => {
    const child = aChild(`process.on('SIGTERM', () => {}); ${RUNS}`, { graceMs: 200 });
    await child.start();
    const pid = child.pid ?? 0;
    await child.stop();
    expect(identify(pid)).toBeUndefined();
  });

  it('tells a crash from an end that was asked for, and can be started again', async () => {
    let crashed: (child: Child) => void = () => undefined;
    const crash = new Promise<Child>(resolve => (crashed = resolve));
    const child = aChild(RUNS, {}, died => crashed(died));
    await child.start();
    await child.kill('SIGKILL');
    await child.start();
    process.kill(child.pid ?? 0, 'SIGKILL');
    expect((await crash).describeCrash()).toMatch(/^child ended with signal SIGKILL/);
  });

  it('is found and ended by the next run when this one is gone', async () => {
    const child = aChild(RUNS);
    await child.start();
    const [orphan] = orphansAmong(new RunRecord(folder).previous());
    expect(orphan?.identity.pid).toBe(child.pid);
    if (orphan) await endProcess(orphan.identity, orphan.stopSignal);
    expect(orphansAmong(new RunRecord(folder).previous())).toEqual([]);
  });
});
