import { hash } from 'node:crypto';
import type { Clock } from '@packs/ports';

interface Entry<T> {
  readonly value: T;
  readonly untilMs: number;
}

/**
 * Tokens whose signature was checked, so that a request after the first costs a hash. Known by their SHA-256: no token lies in memory
 * for longer than its request. The one used longest ago makes room.
 */
export class VerifiedTokens<T> {
  private readonly entries = new Map<string, Entry<T>>();

  constructor(
    private readonly clock: Clock,
    private readonly max: number,
  ) {}

  get(token: string): T | undefined {
    const key = keyOf(token);
    const entry = this.entries.get(key);
    if (!entry) return undefined;
    this.entries.delete(key);
    if (entry.untilMs <= this.clock.now().getTime()) return undefined;
    this.entries.set(key, entry);
    return entry.value;
  }

  put(token: string, value: T, untilMs: number): void {
    this.entries.set(keyOf(token), { value, untilMs });
    if (this.entries.size <= this.max) return;
    for (const oldest of this.entries.keys()) return void this.entries.delete(oldest);
  }
}

function keyOf(token: string): string {
  return hash('sha256', token, 'base64');
}
