import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { ReplaceBlob, type MirrorRecord } from '@packs/contracts';
import { createLogger } from '@packs/observability';
import { FileMirrorTargets } from '@packs/oci-layout';
import type { HeldRepair, StoredBlob } from '@packs/ports';
import { aMirroredVersion, InMemoryBlobStore, ScriptedCommandBus } from '@packs/testing';
import { aMirror, FakeMirrors } from '../mirror-worker.fixture';
import { RepairBlob } from './repair-blob';

const { mirrored, content } = aMirroredVersion();
const { digest, size } = mirrored.bundle;
const repair: HeldRepair = { id: 'x', owner: 'me', tenant: 'acme', digest, size, attempt: 1 };

describe('RepairBlob', () => {
  let root: string;
  let blobs: InMemoryBlobStore;
  let targets: FileMirrorTargets;
  let commands: ScriptedCommandBus;
  let given: StoredBlob[];
  beforeEach(() => {
    root = mkdtempSync(join(tmpdir(), 'mirrors-'));
    blobs = new InMemoryBlobStore();
    targets = new FileMirrorTargets(root);
    given = [];
    commands = new ScriptedCommandBus().answer(ReplaceBlob, ({ blob }) => {
      given.push(blob);
      return { outcome: 'replaced' as const };
    });
  });
  afterEach(() => rmSync(root, { recursive: true }));

  async function fill(mirror: MirrorRecord): Promise<MirrorRecord> {
    const target = await targets.open(mirror);
    await target.prepare();
    for (const object of target.objectsOf(mirrored)) await target.write(object, Readable.from([content.get(object.digest)]));
    await target.flush();
    const state = { schema: 'stellaops.io/mirror-state.v1', tenant: 'acme', versions: [mirrored], channels: [], withdrawn: [] } as const;
    await (await target.stage({ ...state, versions: [mirrored], channels: [], withdrawn: [] })).commit();
    return mirror;
  }
  const execute = (...mirrors: MirrorRecord[]) =>
    new RepairBlob(new FakeMirrors(mirrors), targets, blobs, commands, createLogger('mirror-worker', 'silent')).execute(
      repair,
      new AbortController().signal,
    );
  const pathIn = ({ location }: MirrorRecord) => join(root, 'acme', location, 'blobs', 'sha256', digest.slice('sha256:'.length));
  const north = aMirror();
  const south = aMirror({ id: '01KF5B4M7N0000000000000002', name: 'south', location: 'south' });
  const flat = aMirror({ id: '01KF5B4M7N0000000000000003', name: 'flat', location: 'flat', kind: 'directory' });

  it.each([north, flat])('brings the bytes back from a mirror of the kind $kind', async mirror => {
    await execute(await fill(mirror));
    expect(given).toMatchObject([{ digest, size }]);
    expect(blobs.objects.get(given[0]?.objectKey ?? '')).toEqual(content.get(digest));
  });

  it('goes on to the next mirror when one has nothing, is off, or is damaged itself', async () => {
    const off = aMirror({ id: 'off', location: 'off', enabled: false });
    await fill(north);
    writeFileSync(pathIn(north), Buffer.alloc(size));
    await execute(aMirror({ id: 'empty', location: 'empty' }), off, north, await fill(south));
    expect(given).toHaveLength(1);
    expect(blobs.objects.size).toBe(1);
  });

  it('says that no mirror has it', async () => {
    await expect(execute()).rejects.toMatchObject({ code: 'ERR_PACK_NOT_FOUND', retry: 'never' });
    await fill(north);
    writeFileSync(pathIn(north), 'rotten, too');
    await expect(execute(north)).rejects.toBeDefined();
    expect([given, blobs.objects.size]).toEqual([[], 0]);
  });

  it('keeps no object that came too late', async () => {
    commands.answer(ReplaceBlob, () => ({ outcome: 'unchanged' as const }));
    await execute(await fill(north));
    expect(blobs.objects.size).toBe(0);
  });

  it('keeps the object while it does not know whether the publisher took it', async () => {
    commands = new ScriptedCommandBus();
    await expect(execute(await fill(north))).rejects.toMatchObject({ code: 'ERR_PACK_UNAVAILABLE', retry: 'later' });
    expect(blobs.objects.size).toBe(1);
  });
});
