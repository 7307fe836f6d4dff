const SETTING = 'UV_THREADPOOL_SIZE';
const THREADS = '16';

/**
 * Lets that many file operations go on at a time; whoever starts the process may say another number. Node's own four are taken by four uploads that wait
 * for the disk, and everybody else's small reads then wait with them. Has to be called before the first of those operations.
 */
export function reserveFileThreads(): void {
  process.env[SETTING] ??= THREADS;
}
