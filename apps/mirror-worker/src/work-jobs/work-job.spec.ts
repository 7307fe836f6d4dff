import type { MirrorRecord } from '@packs/contracts';
import { DomainError, sha256 } from '@packs/domain';
import { createLogger } from '@packs/observability';
import { LeaseLost, type HeldJob } from '@packs/ports';
import { FixedClock } from '@packs/testing';
import { aHeldJob, aMirror, FakeMirrors, FakeQueue } from '../mirror-worker.fixture';
import type { PreparedSync, RunSync } from '../run-sync/run-sync';
import { WorkJob } from './work-job';

const COUNTS = { versions: 3, totalVersions: 3, bytes: 30, totalBytes: 30, copiedBytes: 20, repaired: 1, skipped: 0 };
const job = aHeldJob();

describe('WorkJob', () => {
  let queue: FakeQueue;
  let shown: number;
  let tidied: number;
  let syncs: number;
  let attempt: (signal: AbortSignal) => Promise<PreparedSync>;
  let mirrors: MirrorRecord[];
  beforeEach(() => {
    queue = new FakeQueue();
    shown = 0;
    tidied = 0;
    syncs = 0;
    mirrors = [aMirror()];
    const staged = { digest: sha256('state'), commit: async () => void (shown += 1) };
    attempt = () =>
      Promise.resolve({
        staged,
        outcome: { stateDigest: staged.digest, counts: COUNTS, skipped: [] },
        tidy: async () => void (tidied += shown),
      });
  });

  function workJob(limits = {}): WorkJob {
    const runSync = {
      execute: (_job: HeldJob, _mirror: MirrorRecord, signal: AbortSignal) => {
        syncs += 1;
        return attempt(signal);
      },
    } as RunSync;
    const all = { leaseMs: 60_000, runDeadlineMs: 60_000, attempts: 3, ...limits };
    return new WorkJob(new FakeMirrors(mirrors), queue, runSync, new FixedClock(), all, createLogger('mirror-worker', 'fatal'));
  }

  const fails = (error: Error) => () => Promise.reject(error);
  const full = new DomainError('ERR_MIRROR_TARGET_FULL', 'no room', { retry: 'later' });

  it('shows what was prepared and says so in an event', async () => {
    await workJob().execute(job);
    expect([shown, tidied, queue.ends]).toEqual([1, 1, [{ succeeded: COUNTS }]]);
    expect(queue.outbox.events).toMatchObject([
      {
        type: 'mirror.sync.completed',
        data: { jobId: 'job', seq: 1, versions: 3, copiedBytes: 20, repaired: 1, stateDigest: sha256('state') },
      },
    ]);
  });

  it('tries again after a failure of the target, without an event', async () => {
    attempt = fails(full);
    await workJob().execute(aHeldJob({ attempt: 2 }));
    expect([shown, queue.ends, queue.outbox.events]).toEqual([0, [{ retry: 'ERR_MIRROR_TARGET_FULL', delayMs: 2_000 }], []]);
  });

  it('gives up after the last attempt and says why in an event', async () => {
    attempt = fails(full);
    await workJob().execute(aHeldJob({ attempt: 3 }));
    expect(queue.ends).toEqual([{ failed: 'ERR_MIRROR_TARGET_FULL' }]);
    expect(queue.outbox.events).toMatchObject([{ type: 'mirror.sync.failed', data: { reason: 'ERR_MIRROR_TARGET_FULL', attempts: 3 } }]);
  });

  it('does not begin a job that has killed every worker that began it', async () => {
    await workJob().execute(aHeldJob({ attempt: 4 }));
    expect([syncs, queue.ends]).toEqual([0, [{ failed: 'ERR_MIRROR_ATTEMPTS' }]]);
  });

  it('tries again when a target does not answer at all', async () => {
    attempt = () => new Promise(() => undefined);
    await workJob({ runDeadlineMs: 5 }).execute(job);
    expect(queue.ends).toEqual([{ retry: 'ERR_MIRROR_DEADLINE', delayMs: 1_000 }]);
  });

  it('gives the job back when the process stops', async () => {
    const work = workJob();
    attempt = () => {
      queueMicrotask(() => work.stop());
      return new Promise(() => undefined);
    };
    await work.execute(job);
    expect(queue.ends).toEqual(['released']);
  });

  it('leaves a job alone that is another’s by now, and one whose mirror is gone', async () => {
    attempt = fails(new LeaseLost(job));
    await workJob().execute(job);
    mirrors = [];
    await workJob().execute(job);
    expect([queue.ends, shown]).toEqual([[], 0]);
  });
});
