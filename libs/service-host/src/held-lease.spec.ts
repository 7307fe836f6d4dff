import { DomainError } from '@packs/domain';
import { LeaseLost } from '@packs/ports';
import { HeldLease, HeldLeases, WorkerStopping } from './held-lease';

const job = { id: 'job', owner: 'me' };
const deadline = { ms: 60_000, reason: new DomainError('ERR_MIRROR_DEADLINE', 'too slow', { retry: 'later' }) };
const LEASE_MS = 9_000;

describe('HeldLease', () => {
  let queue: { renewals: number; renewal: () => Promise<void> };
  let lease: HeldLease;
  beforeEach(() => {
    jest.useFakeTimers();
    queue = { renewals: 0, renewal: () => Promise.resolve() };
    const renew = (): Promise<void> => {
      queue.renewals += 1;
      return queue.renewal();
    };
    lease = new HeldLease(renew, job, { leaseMs: LEASE_MS, deadline });
  });
  afterEach(() => {
    lease.release();
    jest.useRealTimers();
  });

  const never = (): Promise<never> => new Promise(() => undefined);

  it('is renewed three times in the time of one lease, as long as work is under way', async () => {
    void lease.during(never).catch(() => undefined);
    await jest.advanceTimersByTimeAsync(2 * LEASE_MS);
    expect(queue.renewals).toBe(6);
    lease.release();
    await jest.advanceTimersByTimeAsync(LEASE_MS);
    expect(queue.renewals).toBe(6);
  });

  it('ends the work when the job is another’s', async () => {
    const ended = expect(lease.during(never)).rejects.toThrow(LeaseLost);
    queue.renewal = () => Promise.reject(new LeaseLost(job));
    await jest.advanceTimersByTimeAsync(LEASE_MS);
    await ended;
  });

  it('lets the work go on while the queue cannot be asked, until the lease has ended', async () => {
    let signal: AbortSignal | undefined;
    const ended = expect(
      lease.during(given => {
        signal = given;
        return never();
      }),
    ).rejects.toThrow(LeaseLost);
    queue.renewal = () => Promise.reject(new Error('connection lost'));
    await jest.advanceTimersByTimeAsync(LEASE_MS - 1_000);
    expect(signal?.aborted).toBe(false);
    await jest.advanceTimersByTimeAsync(1_000);
    expect(signal?.aborted).toBe(true);
    await ended;
  });

  it('ends an attempt that takes too long, also when its work never returns', async () => {
    const ended = expect(lease.during(never)).rejects.toMatchObject({ code: 'ERR_MIRROR_DEADLINE', retry: 'later' });
    await jest.advanceTimersByTimeAsync(60_000);
    await ended;
  });

  it('hands on what the work comes to', async () => {
    await expect(lease.during(() => Promise.resolve(7))).resolves.toBe(7);
    await expect(lease.during(() => Promise.reject(new Error('of its own')))).rejects.toThrow('of its own');
  });

  it('is not renewed again when it is released while a renewal is under way', async () => {
    const renewed = Promise.withResolvers<void>();
    queue.renewal = () => renewed.promise;
    await jest.advanceTimersByTimeAsync(LEASE_MS / 3);
    lease.release();
    renewed.resolve();
    await jest.advanceTimersByTimeAsync(LEASE_MS);
    expect(queue.renewals).toBe(1);
  });
});

describe('HeldLeases', () => {
  it('ends the work under each lease when the process stops, and renews none afterwards', async () => {
    const leases = new HeldLeases();
    let renewals = 0;
    const renew = (): Promise<void> => {
      renewals += 1;
      return Promise.resolve();
    };
    const held = ['one', 'other'].map(id =>
      leases.hold({ id, owner: 'me' }, renew, { leaseMs: 30 }, lease => lease.during(() => new Promise(() => undefined))),
    );
    const ended = Promise.all(held.map(one => expect(one).rejects.toThrow(WorkerStopping)));
    leases.stop();
    await ended;
    expect(renewals).toBe(0);
  });
});
