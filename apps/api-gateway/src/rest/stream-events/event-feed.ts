import { WAKE_AUDIT } from '@packs/contracts';
import type { AuditReadModel, WakeUps } from '@packs/ports';

/** At the latest after this time a feed looks again and shows the client that it lives. */
const HEARTBEAT_MS = 15_000;
const PAGE = 100;

export interface FeedRequest {
  readonly tenant: string;
  readonly packId: string;
  /** The last `seq` the client has. */
  readonly after: number;
  /** Milliseconds since the epoch at which the client's token ends. */
  readonly until: number;
  readonly signal: AbortSignal;
}

/** Audit entries as server-sent events. The table is the source; a wake-up only says that it is worth looking now. */
export class EventFeed {
  private readonly waiting = new Set<() => void>();
  private generation = 0;
  private closed = false;
  private readonly unsubscribe: () => void;

  constructor(
    private readonly audit: AuditReadModel,
    wakeUps: WakeUps,
  ) {
    this.unsubscribe = wakeUps.subscribe(WAKE_AUDIT, () => this.wake());
  }

  /** Open feeds. */
  open = 0;

  /** Ends every feed. */
  close(): void {
    this.closed = true;
    this.unsubscribe();
    this.wake();
  }

  /** The text of the stream (HTML standard, "Server-sent events"); ids are the tenant's `seq`. */
  async *entries({ tenant, packId, after, until, signal }: FeedRequest): AsyncGenerator<string> {
    this.open += 1;
    try {
      yield 'retry: 2000\n\n';
      let cursor = after;
      while (!this.closed && !signal.aborted && Date.now() < until) {
        const seen = this.generation;
        const page = await this.audit.entries(tenant, { after: cursor, limit: PAGE, packId });
        for (const entry of page) {
          yield `id: ${entry.seq}\nevent: ${entry.type}\ndata: ${JSON.stringify(entry)}\n\n`;
          cursor = entry.seq;
        }
        if (page.length === 0 && !(await this.waitFor(seen, Math.min(HEARTBEAT_MS, until - Date.now()), signal))) yield ': still here\n\n';
      }
    } finally {
      this.open -= 1;
    }
  }

  /** Resolves true when something was appended since `seen`, false after `ms`. */
  private waitFor(seen: number, ms: number, signal: AbortSignal): Promise<boolean> {
    if (this.generation !== seen || signal.aborted) return Promise.resolve(true);
    return new Promise(resolve => {
      const settle = (woken: boolean): void => {
        clearTimeout(timer);
        this.waiting.delete(onWake);
        signal.removeEventListener('abort', onWake);
        resolve(woken);
      };
      const onWake = (): void => settle(true);
      const timer = setTimeout(() => settle(false), Math.max(0, ms));
      this.waiting.add(onWake);
      signal.addEventListener('abort', onWake);
    });
  }

  private wake(): void {
    this.generation += 1;
    for (const onWake of [...this.waiting]) onWake();
  }
}
