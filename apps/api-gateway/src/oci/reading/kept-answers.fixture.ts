import { createLogger } from '@packs/observability';
import { ReadChanges, type ReadChange, type ReadChangesSeen } from '@packs/ports';
import { ReadBarrier } from './read-barrier';

/** One look at the changes, which ends when the spec says so. */
export interface Look {
  find(...changes: readonly ReadChange[]): Promise<void>;
  fail(): Promise<void>;
}

/** Changes of which the spec says when each look at them ends, and with what. */
export class ScriptedReadChanges extends ReadChanges {
  readonly looks: Look[] = [];
  opened = 0;
  closed = 0;
  refuses = false;

  async watch(): Promise<ReadChangesSeen> {
    if (this.refuses) throw new Error('no connection');
    this.opened += 1;
    const next = () =>
      new Promise<readonly ReadChange[]>((resolve, reject) => {
        const ended = async (end: () => void): Promise<void> => {
          end();
          await turns();
        };
        this.looks.push({ find: (...changes) => ended(() => resolve(changes)), fail: () => ended(() => reject(new Error('lost'))) });
      });
    return { next, close: () => (this.closed += 1) };
  }

  barrier(): ReadBarrier {
    return new ReadBarrier(this, createLogger('spec', 'silent'));
  }

  /** The look that has begun last. */
  get last(): Look {
    const look = this.looks.at(-1);
    if (!look) throw new Error('nobody looked');
    return look;
  }
}

/** Lets everything happen that waits for nothing but the event loop. */
export async function turns(): Promise<void> {
  for (let n = 0; n < 4; n++) await new Promise(resolve => setImmediate(resolve));
}
