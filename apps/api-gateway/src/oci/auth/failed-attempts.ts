import { DomainError } from '@packs/domain';
import type { Clock } from '@packs/ports';

const WINDOW_MS = 60_000;
const FAILURES_MAX = 30;
const ADDRESSES_MAX = 10_000;

interface Window {
  readonly startedAt: number;
  failures: number;
}

/** Slows down those who guess secrets. Of this replica alone: the Authority guards its clients itself. */
export class FailedAttempts {
  private readonly windows = new Map<string, Window>();

  constructor(private readonly clock: Clock) {}

  /** @throws DomainError ERR_PACK_LIMIT */
  admit(address: string): void {
    const window = this.current(address);
    if (window && window.failures >= FAILURES_MAX) {
      throw new DomainError('ERR_PACK_LIMIT', 'too many refused credentials from this address: try again in a minute', { retry: 'later' });
    }
  }

  failed(address: string): void {
    const window = this.current(address) ?? { startedAt: this.clock.now().getTime(), failures: 0 };
    window.failures += 1;
    // At the end of the order in which addresses make room.
    this.windows.delete(address);
    this.windows.set(address, window);
    if (this.windows.size <= ADDRESSES_MAX) return;
    for (const oldest of this.windows.keys()) return void this.windows.delete(oldest);
  }

  private current(address: string): Window | undefined {
    const window = this.windows.get(address);
    return window && this.clock.now().getTime() - window.startedAt < WINDOW_MS ? window : undefined;
  }
}
