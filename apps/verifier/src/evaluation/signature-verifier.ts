import { DomainError } from '@packs/domain';
import { isFinished, type AnswerMemory, type VerificationAnswer, type VerificationPool, type VerificationTask } from '@packs/sigstore';

/** Answers whether a document is a signature, and whose. A refusal is an answer as well. */
export abstract class SignatureVerifier {
  /** @param material the trust material that the task names, in the form it is stored in */
  abstract verify(task: VerificationTask, material: Uint8Array): Promise<VerificationAnswer>;
}

/** @throws DomainError ERR_PACK_UNAVAILABLE for a verification that was broken off */
export function requireFinished(answer: VerificationAnswer): void {
  if (!isFinished(answer)) throw unfinished(answer);
}

function unfinished({ refusal }: VerificationAnswer): DomainError {
  return new DomainError('ERR_PACK_UNAVAILABLE', refusal?.message ?? 'a verification was broken off', { retry: 'later' });
}

/** Off the event loop, each task with a deadline, and what was answered before from memory. */
export class PooledSignatureVerifier extends SignatureVerifier {
  constructor(
    private readonly pool: VerificationPool,
    private readonly memory: AnswerMemory,
  ) {
    super();
  }

  verify(task: VerificationTask, material: Uint8Array): Promise<VerificationAnswer> {
    return this.memory.answer(task, material, () => this.pool.run(task, () => material));
  }
}
