import { DomainError } from '@packs/domain';
import type { VerificationAnswer, VerificationPool, VerificationTask } from '@packs/sigstore';

/** Answers whether a document is a signature, and whose. A refusal is an answer as well. */
export abstract class SignatureVerifier {
  /** @param material the trust material that the task names, in the form it is stored in */
  abstract verify(task: VerificationTask, material: Uint8Array): Promise<VerificationAnswer>;
}

/** Whether a verification came to an answer: of one that was broken off nothing is known, not even that the signature is bad. */
export function isFinished({ refusal }: VerificationAnswer): boolean {
  return refusal?.reason !== 'verification-timeout' && refusal?.reason !== 'verification-failed';
}

/** @throws DomainError ERR_PACK_UNAVAILABLE for a verification that was broken off */
export function requireFinished(answer: VerificationAnswer): void {
  if (!isFinished(answer)) throw unfinished(answer);
}

export function unfinished({ refusal }: VerificationAnswer): DomainError {
  return new DomainError('ERR_PACK_UNAVAILABLE', refusal?.message ?? 'a verification was broken off', { retry: 'later' });
}

/** Off the event loop, each task with a deadline. */
export class PooledSignatureVerifier extends SignatureVerifier {
  constructor(private readonly pool: VerificationPool) {
    super();
  }

  verify(task: VerificationTask, material: Uint8Array): Promise<VerificationAnswer> {
    return this.pool.run(task, () => material);
  }
}
