import { LRUCache } from 'lru-cache';

/** Verdicts kept; each is a few hundred bytes. */
const CACHE_ENTRIES = 50_000;

/** Answers of the verifier about what never changes: content under a digest, judged under one trust epoch. Asked for once at a time. */
export class VerdictCache<Reply extends object> {
  private readonly pending = new LRUCache<string, Promise<Reply>>({ max: CACHE_ENTRIES });

  of(key: string, ask: () => Promise<Reply>): Promise<Reply> {
    const known = this.pending.get(key);
    if (known) return known;
    const asked = ask();
    this.pending.set(key, asked);
    asked.catch(() => this.pending.delete(key));
    return asked;
  }
}
