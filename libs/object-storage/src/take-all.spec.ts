import { PerformanceObserver, type PerformanceEntry } from 'node:perf_hooks';
import type { PouringSource } from '@packs/ports';
import { eventually } from '@packs/testing';
import { takeAll } from './take-all';

const MIB = 1024 * 1024;
/** As V8 counts them. */
const YOUNG = 1;

type CollectionEntry = PerformanceEntry & { readonly detail: { readonly kind: number } };

describe('takeAll', () => {
  const piece = Buffer.alloc(64 * 1024);
  const pouring = (pieces: number): PouringSource => ({
    pour: async take => {
      for (let at = 0; at < pieces; at++) await take(piece);
    },
  });

  it('has the memory of the pieces collected while it is young', async () => {
    let collections = 0;
    const observer = new PerformanceObserver(list => {
      collections += list.getEntries().filter(entry => (entry as CollectionEntry).detail.kind === YOUNG).length;
    });
    observer.observe({ entryTypes: ['gc'] });
    try {
      await takeAll(pouring(2048), Infinity, () => undefined);
      await eventually(() => expect(collections).toBeGreaterThanOrEqual(2048 / 16 / 8));
    } finally {
      observer.disconnect();
    }
  });

  it.each(['at once', 'later'])('tells a source that failed from bytes that could not be taken, which is known %s', async when => {
    const full = new Error('no room');
    const refuse = (): Promise<void> | undefined => {
      if (when === 'later') return Promise.reject(full);
      throw full;
    };
    await expect(takeAll(pouring(1), MIB, refuse)).rejects.toBe(full);
    const broken = new Error('broken');
    const breaking: PouringSource = {
      pour: async take => {
        await take(piece);
        throw broken;
      },
    };
    expect(await takeAll(breaking, MIB, () => undefined)).toEqual({ bytes: piece.length, interrupted: { cause: broken } });
  });
});
