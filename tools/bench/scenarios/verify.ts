import { writeFileSync } from 'node:fs';
import { AnswerMemory, runTask } from '@packs/sigstore';
import { REPOSITORY_ROOT } from '../../stack/repository-root';
import { describeMachine } from '../machine';
import { stockVerification } from '../stock-verifier';
import { signedKinds, type SignedKind } from '../verify-documents';
import { verifyReport, type KindRounds, type VerifyTimes } from '../verify-report';

export interface VerifyOptions {
  readonly rounds: number;
  /** Verifications of a turn. */
  readonly count: number;
  readonly json?: string;
  readonly signal: AbortSignal;
}

const WARM_UP = 100;
/** An answer from memory is too short to be measured a few hundred times. */
const AGAIN = 20;

/** Verifications of each kind of signature per second of processor time, beside the stock library's, in turns within this one thread. */
export async function runVerify({ rounds, count, json, signal }: VerifyOptions): Promise<void> {
  const machine = describeMachine(REPOSITORY_ROOT);
  const kinds = signedKinds().map(kind => ({ kind, ...sidesOf(kind) }));
  const measured: KindRounds[] = kinds.map(({ kind: { name, keyless } }) => ({ name, keyless, rounds: [] }));
  for (const { ours, stock, again } of kinds) for (const side of [ours, stock, again]) await cpuOf(WARM_UP, side, signal);
  for (let round = 1; round <= rounds; round++) {
    for (const [at, { ours, stock, again }] of kinds.entries()) {
      const times: VerifyTimes = {
        ours: (await cpuOf(count, ours, signal)) ?? Number.NaN,
        stock: await cpuOf(count, stock, signal),
        again: (await cpuOf(count * AGAIN, again, signal)) ?? Number.NaN,
      };
      measured[at]?.rounds.push(times);
    }
    process.stdout.write(`round ${round} of ${rounds}\n`);
  }
  const result = { machine, count, kinds: measured };
  process.stdout.write(`${verifyReport(result)}\n`);
  if (json) writeFileSync(json, `${JSON.stringify(result, null, 2)}\n`);
}

interface Sides {
  readonly ours: () => void;
  /** Absent where the stock library does not read such a document. */
  readonly stock?: () => void;
  readonly again: () => Promise<void>;
}

/** Each throws unless it accepts. */
function sidesOf(kind: SignedKind): Sides {
  const memory = new AnswerMemory();
  const answer = () => {
    const found = runTask(kind.task, kind.material);
    if (found.outcome !== 'verified') throw new Error(`${kind.name} was refused: ${found.refusal?.reason}`);
    return found;
  };
  let asked = 0;
  return {
    ours: () => void answer(),
    stock: stockVerification(kind),
    again: async () => {
      await memory.answer(kind.task, kind.stored, async () => {
        if (asked++ > 0) throw new Error(`${kind.name} was not answered from memory`);
        return answer();
      });
    },
  };
}

/** Milliseconds of processor time of one verification: all threads of this process, garbage collection included. */
async function cpuOf(count: number, verify: (() => void | Promise<void>) | undefined, signal: AbortSignal): Promise<number | undefined> {
  if (!verify) return undefined;
  const before = process.cpuUsage();
  for (let done = 0; done < count; done++) {
    signal.throwIfAborted();
    await verify();
  }
  const { user, system } = process.cpuUsage(before);
  return (user + system) / 1000 / count;
}
