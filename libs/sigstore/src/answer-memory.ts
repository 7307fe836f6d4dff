import { canonicalJson, sha256, type Digest } from '@packs/domain';
import { LRUCache } from 'lru-cache';
import { readTrustMaterial } from './trust-material';
import { isFinished, type VerificationAnswer, type VerificationTask } from './verification-task';

const MAX_ANSWERS = 16 * 1024;
const MAX_BYTES = 16 * 1024 * 1024;
const MAX_MATERIALS = 256;

/**
 * Gives the answer that was given before to the same question: same document, same artifacts, same trust material, and a moment between the same two
 * at which that material begins or ceases to trust somebody. Nothing else goes into an answer, so that none is ever given under other trust. What was
 * broken off is asked again.
 */
export class AnswerMemory {
  private readonly answers = new LRUCache<string, VerificationAnswer>({
    max: MAX_ANSWERS,
    maxSize: MAX_BYTES,
    sizeCalculation: (answer, question) => question.length + JSON.stringify(answer).length,
  });
  private readonly moments = new LRUCache<Digest, readonly number[]>({ max: MAX_MATERIALS });

  /** @param material the trust material that the task names, in the form it is stored in */
  async answer(task: VerificationTask, material: Uint8Array, ask: () => Promise<VerificationAnswer>): Promise<VerificationAnswer> {
    const question = this.question(task, material);
    const known = this.answers.get(question);
    if (known) return known;
    const answer = await ask();
    if (isFinished(answer)) this.answers.set(question, answer);
    return answer;
  }

  /** Every member of the task is part of it: bytes by the digest they were shown to be of. */
  private question(task: VerificationTask, material: Uint8Array): string {
    const { content, evaluatedAt, subjects, ...rest } = task;
    const about = subjects.map(subject => (typeof subject === 'string' ? subject : { ...subject, bytes: subject.bytes !== undefined }));
    return canonicalJson({ ...rest, content: sha256(content), subjects: about, during: this.during(task.trust, evaluatedAt, material) });
  }

  private during(trust: Digest, evaluatedAt: string, material: Uint8Array): string {
    const known = this.moments.get(trust) ?? momentsOf(material);
    this.moments.set(trust, known);
    const at = Date.parse(evaluatedAt);
    return known.map(moment => (at < moment ? '<' : at > moment ? '>' : '=')).join('');
  }
}

function momentsOf(material: Uint8Array): number[] {
  const { keys, revoked } = readTrustMaterial(material);
  const named = [
    ...keys.flatMap(({ notBefore, notAfter }) => [notBefore, notAfter]),
    ...[...(revoked?.keys ?? []), ...(revoked?.identities ?? [])].map(({ since }) => since),
  ];
  return named.filter(moment => moment !== undefined).map(moment => Date.parse(moment));
}
