import { randomUUID } from 'node:crypto';
import { setTimeout as delay } from 'node:timers/promises';
import { DomainError, type RepositoryName } from '@packs/domain';
import type { PartialUpload, UploadLease, UploadSession, UploadSessions } from '@packs/ports';
import type { RequestBody } from './request-body';

/** A client that comes back after a silent break waits this long at most. */
const LEASE_MS = 6_000;
/** Kept this often in the time of one lease, so that a slow answer does not lose it. */
const RENEWALS = 3;
/** The time a broken connection's request needs to notice and to give its session back. */
const PATIENCE_MS = 2_000;
const POLL_MS = 50;
const ID = /^[0-9a-f-]{36}$/;

/**
 * A session while one request works on it. Its lease is kept as long as bytes come in, so that a connection that broke in silence does not keep its
 * client out. A writer that was stopped and wakes up after another took the session over can harm nothing: the blob store lets nobody write to bytes
 * that were reported, what it gives back is refused, and a blob it goes on to link is proven, whoever brought its bytes.
 */
export class HeldUpload {
  /** What arrived so far. */
  upload: PartialUpload | null;
  private seen = -1;
  private isWorking = false;
  private isLost = false;
  private timer: NodeJS.Timeout | undefined;

  private constructor(
    private readonly sessions: UploadSessions,
    private readonly lease: UploadLease,
    readonly session: UploadSession,
    private readonly body: RequestBody | undefined,
  ) {
    this.upload = session.upload;
    this.timer = setInterval(() => void this.beat(), lease.ms / RENEWALS).unref();
  }

  /**
   * Waits a moment for a writer that is about to go.
   * @throws DomainError ERR_OCI_UPLOAD_UNKNOWN, ERR_OCI_UPLOAD_BUSY
   */
  static async take(sessions: UploadSessions, of: RepositoryName, id: string, body?: RequestBody): Promise<HeldUpload> {
    if (!isUploadId(id)) throw unknownUpload();
    const lease = { of, id, owner: randomUUID(), ms: LEASE_MS };
    const session = await patiently(() => sessions.hold(lease));
    if (!session) throw unknownUpload();
    return new HeldUpload(sessions, lease, session, body);
  }

  get size(): number {
    return this.upload?.size ?? 0;
  }

  /** Notes what arrived, so that the end of this process costs the client no more than what comes after. */
  async save(): Promise<void> {
    if (!(await this.sessions.keep(this.lease, this.upload ?? undefined))) throw takenOver();
  }

  /** From now on no more bytes are waited for: the lease is kept whatever comes. */
  work(): void {
    this.isWorking = true;
  }

  /** Whether nobody took it over, nor will while its lease runs. */
  isOurs(): Promise<boolean> {
    return this.sessions.keep(this.lease);
  }

  /** Gives the session back for the client to go on with. False: it is another's by now, or has ended. */
  async release(): Promise<boolean> {
    this.stop();
    return this.sessions.release(this.lease, this.upload);
  }

  /** Ends the session without a blob. False: it is not ours to end. */
  async remove(): Promise<boolean> {
    this.stop();
    return this.sessions.remove(this.lease);
  }

  /** Nothing is to be given back: the session has ended. */
  stop(): void {
    clearInterval(this.timer);
    this.timer = undefined;
  }

  private async beat(): Promise<void> {
    const received = this.body?.received ?? 0;
    if (this.isLost || (!this.isWorking && received === this.seen)) return;
    this.seen = received;
    // While the database cannot be asked, nobody else can take the session either.
    const isOurs = await this.sessions.keep(this.lease).catch(() => true);
    if (isOurs || !this.timer) return;
    this.isLost = true;
    this.body?.cut(takenOver());
  }
}

/** Repeats what another writer is in the way of, and tells the attempt when it is the last. */
export async function patiently<T>(attempt: (isLast: boolean) => Promise<T>): Promise<T> {
  const deadline = performance.now() + PATIENCE_MS;
  for (;;) {
    const isLast = performance.now() > deadline;
    try {
      return await attempt(isLast);
    } catch (error) {
      if (isLast || !isBusy(error)) throw error;
      await delay(POLL_MS);
    }
  }
}

export function isUploadId(text: string): boolean {
  return ID.test(text);
}

export function unknownUpload(): DomainError {
  return new DomainError('ERR_OCI_UPLOAD_UNKNOWN', 'there is no such upload; begin another');
}

export function takenOver(): DomainError {
  return new DomainError('ERR_OCI_UPLOAD_BUSY', 'another request has taken the upload over', { retry: 'later' });
}

function isBusy(error: unknown): boolean {
  return error instanceof DomainError && error.code === 'ERR_OCI_UPLOAD_BUSY';
}
