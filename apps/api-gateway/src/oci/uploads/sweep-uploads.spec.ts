import { createLogger } from '@packs/observability';
import type { PartialUpload, UploadSessions } from '@packs/ports';
import { FixedClock, InMemoryBlobStore } from '@packs/testing';
import { SweepUploads } from './sweep-uploads';

const NOW = new Date('2026-01-17T08:00:00Z');
const KEPT_MS = 60_000;

/** Sessions as a table that forgets what it gave away. */
function aTable(...turns: readonly (readonly PartialUpload[])[]) {
  const asked: Date[] = [];
  const sweep = async (before: Date) => {
    asked.push(before);
    const turn = turns[asked.length - 1] ?? [];
    return { ended: turn.length, uploads: turn };
  };
  return { asked, sessions: { sweep } as unknown as UploadSessions };
}

describe('SweepUploads', () => {
  const blobs = new InMemoryBlobStore();
  const sweeping = ({ sessions }: ReturnType<typeof aTable>) =>
    new SweepUploads(sessions, blobs, new FixedClock(NOW.toISOString()), createLogger('spec', 'fatal'), KEPT_MS);
  const begun = () => blobs.begin('sha256');

  it('takes the bytes of abandoned uploads away, until there are no more', async () => {
    const many = await Promise.all(Array.from({ length: 150 }, begun));
    const table = aTable(many.slice(0, 100), many.slice(100));
    expect(await sweeping(table).execute()).toBe(150);
    expect(blobs.uploads.size).toBe(0);
    expect(table.asked).toEqual([new Date(NOW.getTime() - KEPT_MS), new Date(NOW.getTime() - KEPT_MS)]);
  });

  it('takes the others away although one cannot be removed, and that one at the next turn', async () => {
    const [stuck, ...others] = await Promise.all([begun(), begun(), begun()]);
    const table = aTable([stuck, ...others]);
    const sweep = sweeping(table);
    const removal = jest.spyOn(blobs, 'discard').mockRejectedValueOnce(new Error('EIO'));
    expect(await sweep.execute()).toBe(3);
    expect(blobs.uploads.size).toBe(1);
    removal.mockRestore();
    expect(await sweep.execute()).toBe(0);
    expect(blobs.uploads.size).toBe(0);
  });

  it('takes no more uploads off the record while the store is away, and forgets none of those it took', async () => {
    const many = await Promise.all(Array.from({ length: 150 }, begun));
    const table = aTable(many.slice(0, 100), many.slice(100));
    const sweep = sweeping(table);
    const away = [jest.spyOn(blobs, 'discard'), jest.spyOn(blobs, 'check')].map(spy => spy.mockRejectedValue(new Error('away')));
    await expect(sweep.execute()).rejects.toThrow('away');
    await expect(sweep.execute()).rejects.toThrow('away');
    expect([table.asked.length, blobs.uploads.size]).toEqual([1, 150]);
    for (const spy of away) spy.mockRestore();
    expect(await sweep.execute()).toBe(50);
    expect(blobs.uploads.size).toBe(0);
  });
});
