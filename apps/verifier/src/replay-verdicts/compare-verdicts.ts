import type { VerdictDifference } from '@packs/contracts';
import { canonicalDigest, type Check, type Verdict } from '@packs/domain';

export function differenceOf(stored: Verdict, found: Verdict): VerdictDifference {
  const most = Math.max(stored.checks.length, found.checks.length);
  for (let at = 0; at < most; at++) {
    const [was, is] = [stored.checks[at], found.checks[at]];
    if (canonicalDigest(was ?? null) !== canonicalDigest(is ?? null)) {
      return { check: (was ?? is)?.id ?? 'checks', was: told(was), is: told(is) };
    }
  }
  const [before, after] = [membersOf(stored), membersOf(found)];
  const member = Object.keys({ ...before, ...after }).find(
    name => canonicalDigest(before[name] ?? null) !== canonicalDigest(after[name] ?? null),
  );
  return { check: member ?? 'verdict', was: text(member && before[member]), is: text(member && after[member]) };
}

/** The outcome first: it is what counts most. */
function membersOf({ outcome, ...others }: Verdict): Readonly<Record<string, unknown>> {
  return { outcome, ...others };
}

function told(check: Check | undefined): string {
  if (!check) return 'absent';
  const { id, outcome, reason, evidence } = check;
  return [id, outcome, reason, ...(evidence ? [evidence] : [])].join(' ');
}

function text(value: unknown): string {
  return typeof value === 'string' ? value : JSON.stringify(value ?? null).slice(0, 400);
}
