import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { openDataDir } from './data-dir';
import { StackLock } from './stack-lock';
import { Steps } from './steps';
import { Workspace } from './workspace';

describe('Workspace over the data of a second stack', () => {
  let parent: string;
  let dataDir: string;
  let within: string;
  beforeEach(() => {
    parent = mkdtempSync(join(tmpdir(), 'workspace-'));
    dataDir = openDataDir(join(parent, '.data'));
    within = openDataDir(join(dataDir, 'site-b'));
  });
  afterEach(() => rmSync(parent, { recursive: true }));

  const open = (fresh: boolean): Promise<Workspace> =>
    Workspace.open({ dataDir, environment: {}, steps: new Steps(() => undefined), fresh, onCrash: () => undefined });

  it('leaves a stack that somebody runs there alone', async () => {
    StackLock.take(within);
    await (await open(false)).close();
    expect(StackLock.isHeld(within)).toBe(true);
  });

  it('does not delete the data under it, and lets go of its own', async () => {
    StackLock.take(within);
    await expect(open(true)).rejects.toThrow(`already runs on ${within}`);
    expect(existsSync(within)).toBe(true);
    expect(StackLock.isHeld(dataDir)).toBe(false);
  });

  it('deletes it with everything else when nobody does', async () => {
    await (await open(true)).close();
    expect(existsSync(within)).toBe(false);
  });
});
