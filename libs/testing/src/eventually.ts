import { setTimeout as delay } from 'node:timers/promises';

const POLL_MS = 20;

/** Repeats `probe` until it neither throws nor rejects; after the deadline its last failure is the caller's. */
export async function eventually<T>(probe: () => T | Promise<T>, withinMs = 10_000): Promise<T> {
  const deadline = performance.now() + withinMs;
  for (;;) {
    try {
      return await probe();
    } catch (error) {
      if (performance.now() > deadline) throw error;
      await delay(POLL_MS);
    }
  }
}
