import type { NearEnding } from '@packs/ports';
import type { EndingPart } from '@packs/sigstore';

const DAY_MS = 24 * 3_600_000;
/** An event is one message. */
const MAX_ENDINGS = 100;

/** Those that end within the longest of these numbers of days, each with the shortest that holds. @param days the longest first */
export function nearEndings(endings: readonly EndingPart[], days: readonly number[], now: Date): NearEnding[] {
  return endings.flatMap(ending => stageOf(ending, days, now)).slice(0, MAX_ENDINGS);
}

function stageOf(ending: EndingPart, days: readonly number[], now: Date): NearEnding[] {
  const left = Date.parse(ending.at) - now.getTime();
  if (left <= 0) return [{ ...ending, days: 0 }];
  const stage = days.findLast(count => left <= count * DAY_MS);
  return stage === undefined ? [] : [{ ...ending, days: stage }];
}

/** When the next of them comes nearer. */
export function nextStage(endings: readonly EndingPart[], days: readonly number[], now: Date): Date | undefined {
  const moments = endings.flatMap(({ at }) => [...days, 0].map(count => Date.parse(at) - count * DAY_MS));
  const ahead = moments.filter(moment => moment > now.getTime());
  return ahead.length > 0 ? new Date(Math.min(...ahead)) : undefined;
}
