import type { Logger } from '@packs/observability';
import type { ReadChange, ReadChanges, ReadChangesSeen } from '@packs/ports';

/** Keeps something that changes make untrue. */
export interface Forgetful {
  forget(changes: readonly ReadChange[]): void;
  forgetAll(): void;
}

/** After a connection was lost, or could not be had. */
const RETRY_MS = 1_000;

/**
 * What stands between a request and an answer that was kept: a look at what was changed, begun after the request came, so that whoever reads after a
 * change was answered, here or anywhere, reads the change. Requests that come while one look is under way wait for the next, all for the same.
 */
export class ReadBarrier {
  private readonly keepers: Forgetful[] = [];
  private seen: ReadChangesSeen | undefined;
  private opening = false;
  private closed = false;
  private retryAt = 0;
  /** The look that has not begun. */
  private next: PromiseWithResolvers<void> | undefined;
  private looking = false;

  constructor(
    private readonly changes: ReadChanges,
    private readonly logger: Logger,
  ) {}

  /** From now on told of changes before anybody passes. */
  tell(keeper: Forgetful): void {
    this.keepers.push(keeper);
  }

  /** Whether changes are told of; what was asked for while they are not must not be kept. Where they are not, they will be. */
  watches(): boolean {
    if (!this.seen) void this.open();
    return this.seen !== undefined;
  }

  /** What is kept when the promise has been kept is true, or was still when this was called. */
  pass(): Promise<void> {
    if (this.next) return this.next.promise;
    this.next = Promise.withResolvers<void>();
    // Those who come in the same turn of the event loop share it.
    if (!this.looking) setImmediate(() => void this.look());
    return this.next.promise;
  }

  close(): void {
    this.closed = true;
    this.lose();
  }

  private async look(): Promise<void> {
    const waiting = this.next;
    this.next = undefined;
    this.looking = true;
    await this.takeIn();
    this.looking = false;
    waiting?.resolve();
    if (this.next) setImmediate(() => void this.look());
  }

  private async takeIn(): Promise<void> {
    const { seen } = this;
    try {
      const changes = (await seen?.next()) ?? [];
      if (changes.length > 0) for (const keeper of this.keepers) keeper.forget(changes);
    } catch (err) {
      // Nobody may pass to what was kept before.
      if (seen === this.seen) this.lose();
      if (!this.closed) this.logger.warn({ err }, 'changes are not told of; every read asks the database until they are');
    }
  }

  private async open(): Promise<void> {
    if (this.opening || this.closed || performance.now() < this.retryAt) return;
    this.opening = true;
    try {
      const seen = await this.changes.watch();
      // Closed meanwhile.
      if (this.closed as boolean) seen.close();
      else this.seen = seen;
    } catch (err) {
      this.retryAt = performance.now() + RETRY_MS;
      this.logger.warn({ err }, 'changes cannot be watched; every read asks the database until they are');
    } finally {
      this.opening = false;
    }
  }

  private lose(): void {
    this.seen?.close();
    this.seen = undefined;
    this.retryAt = performance.now() + RETRY_MS;
    for (const keeper of this.keepers) keeper.forgetAll();
  }
}
