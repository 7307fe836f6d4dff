import { DomainError } from '@packs/domain';

/** What one bundle may cost in wall-clock time; longer work is given up and may be asked for again. */
export const DEADLINE_MS = 55_000;

/** Runs `work` and reports an end by `signal` as what it is, whatever the interrupted part threw. */
export async function withinDeadline<T>(signal: AbortSignal, work: () => Promise<T>): Promise<T> {
  try {
    signal.throwIfAborted();
    return await work();
  } catch (error) {
    if (!signal.aborted) throw error;
    throw new DomainError('ERR_PACK_UNAVAILABLE', 'the verification did not end in time', { retry: 'later', cause: error });
  }
}
