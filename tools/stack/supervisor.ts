import type { Child } from './child';

const FIRST_WAIT_MS = 500;
const LONGEST_WAIT_MS = 30_000;
/** A process that ran this long starts over with the shortest wait. */
const SETTLED_MS = 60_000;

/** Tells of processes that died, and starts them again with growing pauses. */
export class Supervisor {
  private readonly waits = new Map<string, { wait: number; at: number }>();
  private readonly timers = new Set<NodeJS.Timeout>();
  private stopped = false;

  constructor(private readonly say: (text: string) => void) {}

  crashed(child: Child): void {
    if (this.stopped) return;
    const wait = this.nextWait(child.name);
    this.say(`\n${child.describeCrash()}\n${child.name} starts again in ${wait / 1000} s.`);
    const timer = setTimeout(() => {
      this.timers.delete(timer);
      void this.restart(child);
    }, wait);
    this.timers.add(timer);
  }

  stop(): void {
    this.stopped = true;
    for (const timer of this.timers) clearTimeout(timer);
  }

  private async restart(child: Child): Promise<void> {
    if (this.stopped || child.pid !== undefined) return;
    try {
      await child.start();
      this.say(`${child.name} is ready again.`);
    } catch {
      this.crashed(child);
    }
  }

  private nextWait(name: string): number {
    const now = performance.now();
    const before = this.waits.get(name);
    const wait = before && now - before.at < SETTLED_MS + before.wait ? Math.min(before.wait * 2, LONGEST_WAIT_MS) : FIRST_WAIT_MS;
    this.waits.set(name, { wait, at: now });
    return wait;
  }
}
