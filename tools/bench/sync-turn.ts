import type { MirrorJobView, MirrorRequest, MirrorResponse } from '@packs/contracts';
import type { MirrorsUnderTest } from './mirrors-under-test';
import type { Roots } from './processes';
import { measureTurn, type Turn } from './turn';

/** What one sync to a fresh mirror did. */
export interface SyncFigures {
  readonly versions: number;
  readonly bytes: number;
  /** From its start to its end, by the job's own record. */
  readonly seconds: number;
}

/** A sync to a mirror nobody has written to yet, while something else is measured. */
export class BackgroundSync {
  private readonly watching: Promise<void>;
  private last: MirrorJobView;

  private constructor(
    private readonly mirrors: MirrorsUnderTest,
    private readonly mirror: MirrorResponse,
    started: MirrorJobView,
    signal: AbortSignal,
  ) {
    this.last = started;
    this.watching = mirrors.until(started, job => isOver((this.last = job)), signal).then(job => void (this.last = job));
    // Its failure is reported by `end`.
    this.watching.catch(() => undefined);
  }

  /** Resolves when versions are being copied. */
  static async start(mirrors: MirrorsUnderTest, selection: MirrorRequest['selection'], signal: AbortSignal): Promise<BackgroundSync> {
    const mirror = await mirrors.create(selection);
    const job = await mirrors.until(await mirrors.sync(mirror), now => now.progress.versions > 0 || isOver(now), signal);
    return new BackgroundSync(mirrors, mirror, job, signal);
  }

  /** Whether enough is left to copy for one more operation beside it. */
  get goesOn(): boolean {
    const { versions, totalVersions } = this.last.progress;
    return !isOver(this.last) && versions < totalVersions * NEARLY;
  }

  /** Waits for the end of the sync and forgets the mirror. */
  async end(): Promise<MirrorJobView> {
    await this.watching;
    await this.mirrors.remove(this.mirror);
    return this.last;
  }
}

/** Of all versions: until so many are copied, an operation that begins beside the sync also ends beside it. */
const NEARLY = 0.9;

/** One sync to a fresh mirror and nothing else, with the processor time of everything it makes work. */
export async function measureSync(
  mirrors: MirrorsUnderTest,
  selection: MirrorRequest['selection'],
  { roots, signal }: { readonly roots: Roots; readonly signal: AbortSignal },
): Promise<{ readonly turn: Turn; readonly sync: SyncFigures }> {
  const mirror = await mirrors.create(selection);
  let sync: SyncFigures | undefined;
  const operate = async () => {
    sync = figuresOf(await mirrors.until(await mirrors.sync(mirror), isOver, signal));
  };
  const turn = await measureTurn({ operations: 1, clients: 1, bytes: 0, roots, signal, operate });
  await mirrors.remove(mirror);
  if (!sync) throw new Error('no sync was measured');
  return { turn, sync };
}

export function figuresOf({ progress, startedAt, finishedAt }: MirrorJobView): SyncFigures {
  return { versions: progress.versions, bytes: progress.copiedBytes, seconds: (timeOf(finishedAt) - timeOf(startedAt)) / 1000 };
}

/** Whether the sync was under way from the first operation's start to the last one's end. */
export function covers({ startedAt, finishedAt }: Pick<MirrorJobView, 'startedAt' | 'finishedAt'>, turn: Pick<Turn, 'from' | 'seconds'>) {
  return timeOf(startedAt) <= turn.from && turn.from + turn.seconds * 1000 <= timeOf(finishedAt);
}

function timeOf(time: string | null): number {
  return time === null ? Number.NaN : Date.parse(time);
}

function isOver({ state }: MirrorJobView): boolean {
  return state === 'succeeded' || state === 'failed';
}
