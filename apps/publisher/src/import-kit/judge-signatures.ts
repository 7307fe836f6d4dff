import type { ReverifyVersionReply } from '@packs/contracts';
import type { Answered } from '../judgement/ask-verifier';
import { judgeByAll, strangersOf, type RotatingVersion, type TrustingBench } from '../rotate-signature/judge-rotation';
import { planRotation, type RotationPlan } from '../rotate-signature/plan-rotation';

/** Signatures of a kit that a version which is here already gets by it. */
export interface BroughtSignatures {
  readonly rotating: RotatingVersion;
  readonly plan: RotationPlan;
  readonly verified: Answered<ReverifyVersionReply>;
}

/**
 * Of the signatures that a kit brings for a version that is here, those that count; the others are left where they are.
 * @returns undefined when none of them does, or the version is not accepted with them either
 */
export async function judgeSignatures(
  bench: TrustingBench,
  rotating: RotatingVersion,
  brought: RotationPlan['added'],
): Promise<BroughtSignatures | undefined> {
  for (let signatures = brought; signatures.length > 0;) {
    const plan = planRotation(rotating.version, { signatures, replaces: [] });
    const verified = await judgeByAll(bench, rotating, plan);
    if (verified.verdict.outcome === 'rejected') return undefined;
    const strangers = new Set(strangersOf(verified, plan).map(({ digest }) => digest));
    if (strangers.size === 0) return { rotating, plan, verified };
    // The verdict that is kept names nothing that does not count.
    signatures = signatures.filter(({ digest }) => !strangers.has(digest));
  }
  return undefined;
}
