import { QuarantineBlob, ReplaceBlob } from '@packs/contracts';
import { eventually, InMemoryBlobStore, ScriptedCommandBus } from '@packs/testing';
import { repairBlob, RepairingCatalog } from './blob-repair';
import type { BlobRef, StoredBlob } from './blob-store';
import { ContentCatalog } from './content-catalog';
import { quarantinedKey, requireSound } from './quarantine';
import { readWhole } from './read-whole';
import { DamageReports, ReportingBlobStore } from './reporting-blob-store';

async function* once(bytes: Buffer): AsyncGenerator<Buffer, void> {
  yield bytes;
}

describe('a reader that finds damage', () => {
  let beneath: InMemoryBlobStore;
  let bus: ScriptedCommandBus;
  let store: ReportingBlobStore;
  let blob: StoredBlob;
  let answer: () => void;
  const failed = jest.fn();

  beforeEach(async () => {
    failed.mockClear();
    beneath = new InMemoryBlobStore();
    blob = await beneath.write(once(Buffer.from('whole')), { maxBytes: 5 });
    const answered = new Promise<void>(resolve => (answer = resolve));
    bus = new ScriptedCommandBus().answer(QuarantineBlob, async () => {
      await answered;
      return { outcome: 'quarantined' as const };
    });
    store = new ReportingBlobStore(beneath, new DamageReports(bus, 'verifier', failed));
  });
  const read = async (ref: BlobRef): Promise<string> => (await readWhole(store, ref, 100)).toString();
  const corrupt = { code: 'ERR_PACK_CORRUPT' };

  it('reports it once while the report is under way, and waits for nothing', async () => {
    beneath.objects.set(blob.objectKey, Buffer.from('brok'));
    for (let time = 0; time < 3; time++) await expect(read(blob)).rejects.toMatchObject(corrupt);
    const { digest, objectKey } = blob;
    expect(bus.sent).toEqual([{ subject: QuarantineBlob.subject, request: { digest, objectKey, reporter: 'verifier' } }]);
    answer();
    await eventually(async () => {
      await expect(read(blob)).rejects.toMatchObject(corrupt);
      expect(bus.sent).toHaveLength(2);
    });
  });

  it('reports bytes of another digest that no checksum spoke of', async () => {
    beneath.objects.set(blob.objectKey, Buffer.from('other'));
    const { digest, size, objectKey } = blob;
    await expect(read({ digest, size, objectKey })).rejects.toMatchObject(corrupt);
    expect(bus.sent).toHaveLength(1);
  });

  it('reports neither what is whole, nor what is in quarantine, nor more at a time than it can hold', async () => {
    expect(await read(blob)).toBe('whole');
    await expect(read({ ...blob, objectKey: quarantinedKey(blob.objectKey) })).rejects.toMatchObject(corrupt);
    expect(bus.sent).toEqual([]);
    for (let at = 0; at < 200; at++) store.damaged({ ...blob, digest: `sha256:${String(at).padStart(64, '0')}` });
    expect(bus.sent).toHaveLength(64);
  });

  it('says when the report did not arrive', async () => {
    store = new ReportingBlobStore(beneath, new DamageReports(new ScriptedCommandBus(), 'verifier', failed));
    store.damaged(blob);
    await eventually(() => expect(failed).toHaveBeenCalledWith(expect.objectContaining({ code: 'ERR_PACK_UNAVAILABLE' }), blob.digest));
  });

  it('finds no way to a blob in quarantine', () => {
    expect(() => requireSound(blob)).not.toThrow();
    expect(() => requireSound({ ...blob, objectKey: quarantinedKey(blob.objectKey) })).toThrow(expect.objectContaining(corrupt));
  });
});

describe('bytes that are written again', () => {
  const blob: StoredBlob = { digest: `sha256:${'a'.repeat(64)}`, size: 1, objectKey: 'new', blockChecksums: 'AAAAAA==' };
  const bad = { ...blob, objectKey: quarantinedKey('old') };

  it('take the place of damaged ones, and only of those', async () => {
    const bus = new ScriptedCommandBus().answer(ReplaceBlob, () => ({ outcome: 'replaced' as const }));
    expect(await repairBlob(bus, { ...blob, objectKey: 'old' }, blob)).toEqual({ ...blob, objectKey: 'old' });
    expect(bus.sent).toEqual([]);
    expect(await repairBlob(bus, bad, blob)).toEqual(blob);
    expect(bus.sent).toEqual([{ subject: ReplaceBlob.subject, request: { blob } }]);
  });

  it('give the record of whoever was faster', async () => {
    const bus = new ScriptedCommandBus().answer(ReplaceBlob, () => ({ outcome: 'unchanged' as const }));
    expect(await repairBlob(bus, bad, blob)).toBeUndefined();
    const answers = [[bad], [{ ...blob, objectKey: 'faster' }]];
    class Scripted extends ContentCatalog {
      async record(): Promise<StoredBlob[]> {
        return answers.shift() ?? [];
      }
    }
    expect(await new RepairingCatalog(new Scripted(), bus).record([blob])).toEqual([{ ...blob, objectKey: 'faster' }]);
  });
});
