import type { VerdictDifference } from '@packs/contracts';
import { canonicalDigest, type Check, type Verdict } from '@packs/domain';

const MEMBERS = ['outcome', 'subject', 'policy', 'trust', 'evidence', 'identities', 'evaluatedAt', 'schema'] as const;

export function differenceOf(stored: Verdict, found: Verdict): VerdictDifference {
  const most = Math.max(stored.checks.length, found.checks.length);
  for (let at = 0; at < most; at++) {
    const [was, is] = [stored.checks[at], found.checks[at]];
    if (canonicalDigest(was ?? null) !== canonicalDigest(is ?? null)) {
      return { check: (was ?? is)?.id ?? 'checks', was: told(was), is: told(is) };
    }
  }
  const member = MEMBERS.find(name => canonicalDigest(stored[name]) !== canonicalDigest(found[name]));
  return { check: member ?? 'document', was: text(member && stored[member]), is: text(member && found[member]) };
}

function told(check: Check | undefined): string {
  if (!check) return 'absent';
  const { id, outcome, reason, evidence } = check;
  return [id, outcome, reason, ...(evidence ? [evidence] : [])].join(' ');
}

function text(value: unknown): string {
  return typeof value === 'string' ? value : JSON.stringify(value ?? null).slice(0, 400);
}
