import { createLogger } from '@packs/observability';
import type { PartialUpload, UploadSessions } from '@packs/ports';
import { eventually, FixedClock, InMemoryBlobStore } from '@packs/testing';
import { SweepUploads } from './sweep-uploads';

const NOW = new Date('2026-01-17T08:00:00Z');
const KEPT_MS = 60_000;

/** Sessions as a table that forgets what it gave away. */
function aTable(...turns: readonly (readonly PartialUpload[] | Error)[]) {
  const asked: Date[] = [];
  const sweep = async (before: Date) => {
    asked.push(before);
    const turn = turns[asked.length - 1] ?? [];
    if (turn instanceof Error) throw turn;
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
    expect(await sweeping(table).sweep()).toBe(150);
    expect(blobs.uploads.size).toBe(0);
    expect(table.asked).toEqual([new Date(NOW.getTime() - KEPT_MS), new Date(NOW.getTime() - KEPT_MS)]);
  });

  it('begins with the process, and outlives a database that is away', async () => {
    const table = aTable(new Error('away'), [await begun()]);
    const sweep = sweeping(table);
    sweep.start();
    await eventually(() => expect(table.asked).toHaveLength(1));
    await sweep.stop();
    sweep.start();
    await sweep.stop();
    expect(table.asked).toHaveLength(2);
    expect(blobs.uploads.size).toBe(0);
  });
});
