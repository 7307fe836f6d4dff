import { generateKeyPairSync, sign } from 'node:crypto';
import { MEDIA_TYPES, sha256, type TrustedKey } from '@packs/domain';
import { AnswerMemory } from './answer-memory';
import { encodeTrustMaterial, readTrustMaterial, trustedKeyFromPem } from './trust-material';
import { refused, runTask, type VerificationTask } from './verification-task';

const BUNDLE = Buffer.from('the bytes of a bundle');
const release = aKey('release');
const next = aKey('next');

function aKey(name: string) {
  const { publicKey, privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  const pem = publicKey.export({ type: 'spki', format: 'pem' }).toString();
  const key = (window: object = {}): TrustedKey => trustedKeyFromPem(name, pem, undefined, window);
  return { key, sign: (bytes: Buffer) => sign('sha256', bytes, privateKey) };
}

function task(keys: readonly TrustedKey[], changes: Partial<Extract<VerificationTask, { kind: 'signature' }>> = {}) {
  const material = encodeTrustMaterial({ keys });
  const question: VerificationTask = {
    kind: 'signature',
    trust: sha256(material),
    evaluatedAt: '2026-02-01T00:00:00.000Z',
    mediaType: MEDIA_TYPES.rawSignature,
    content: release.sign(BUNDLE),
    subjects: [{ digest: sha256(BUNDLE), bytes: BUNDLE, kind: 'bundle' }],
    ...changes,
  };
  return { question, material };
}

describe('AnswerMemory', () => {
  let memory: AnswerMemory;
  let asked: number;

  beforeEach(() => {
    memory = new AnswerMemory();
    asked = 0;
  });

  const ask = ({ question, material }: ReturnType<typeof task>) =>
    memory.answer(question, material, async () => {
      asked++;
      return runTask(question, readTrustMaterial(material));
    });

  it('answers a question once, refusals as well, at whatever moment it is asked', async () => {
    const accepted = task([release.key()]);
    const refusedOne = task([next.key()], { content: accepted.question.content });
    for (const month of ['01', '02', '03']) {
      const evaluatedAt = `2026-${month}-01T00:00:00.000Z`;
      expect(await ask({ ...accepted, question: { ...accepted.question, evaluatedAt } })).toMatchObject({ outcome: 'verified' });
      expect(await ask({ ...refusedOne, question: { ...refusedOne.question, evaluatedAt } })).toMatchObject({
        outcome: 'signature-refused',
      });
    }
    expect(asked).toBe(2);
  });

  it('never answers under one trust what it was told under another, and forgets neither', async () => {
    const { content } = task([]).question;
    const [trusted, distrusted] = [task([release.key(), next.key()], { content }), task([next.key()], { content })];
    for (let round = 0; round < 3; round++) {
      expect((await ask(trusted)).outcome).toBe('verified');
      expect((await ask(distrusted)).outcome).toBe('signature-refused');
    }
    expect(asked).toBe(2);
  });

  it('asks again when a key has begun or ceased to count since', async () => {
    const key = release.key({ notBefore: '2026-01-01T00:00:00Z', notAfter: '2026-03-01T00:00:00Z' });
    const { content } = task([]).question;
    const at = async (evaluatedAt: string) => (await ask(task([key], { content, evaluatedAt }))).refusal?.reason ?? 'verified';
    for (let round = 0; round < 2; round++) {
      expect(await at('2025-12-31T23:59:59.999Z')).toBe('key-not-yet-valid');
      expect(await at('2026-01-01T00:00:00.000Z')).toBe('verified');
      expect(await at('2026-02-01T00:00:00.000Z')).toBe('verified');
      expect(await at('2026-03-01T00:00:00.000Z')).toBe('verified');
      expect(await at('2026-03-01T00:00:00.001Z')).toBe('key-expired');
    }
    expect(asked).toBe(5);
  });

  it.each<[string, Parameters<typeof task>[1]]>([
    ['another document', { content: next.sign(BUNDLE) }],
    ['another media type', { mediaType: MEDIA_TYPES.dsseEnvelope }],
    ['another artifact', { subjects: [{ digest: sha256('other'), kind: 'bundle' }] }],
    ['an artifact without its bytes', { subjects: [{ digest: sha256(BUNDLE), kind: 'bundle' }] }],
    ['what is no bundle', { subjects: [{ digest: sha256(BUNDLE), bytes: BUNDLE }] }],
    [
      'another artifact beside it',
      { subjects: [{ digest: sha256(BUNDLE), bytes: BUNDLE, kind: 'bundle' }, { digest: sha256('manifest') }] },
    ],
  ])('takes %s for another question', async (_, changes) => {
    const { content } = task([]).question;
    await ask(task([release.key()], { content }));
    await ask(task([release.key()], { content, ...changes }));
    expect(asked).toBe(2);
  });

  it.each(['verification-timeout', 'verification-failed'] as const)('does not keep that there was a %s', async reason => {
    const { question, material } = task([release.key()]);
    expect(await memory.answer(question, material, async () => refused(reason, 'ended'))).toMatchObject({ refusal: { reason } });
    expect((await ask({ question, material })).outcome).toBe('verified');
  });

  it('does not keep that nobody could answer', async () => {
    const { question, material } = task([release.key()]);
    await expect(memory.answer(question, material, () => Promise.reject(new Error('no')))).rejects.toThrow('no');
    expect((await ask({ question, material })).outcome).toBe('verified');
  });

  it('keeps so many answers and no more', async () => {
    const { question, material } = task([release.key()]);
    const numbered = (at: number) =>
      memory.answer({ ...question, content: Buffer.from(`no signature ${at}`) }, material, async () => {
        asked++;
        return refused('signature-invalid', 'no');
      });
    await ask({ question, material });
    for (let at = 0; at < 17 * 1024; at++) await numbered(at);
    const before = asked;
    await numbered(17 * 1024 - 1);
    expect(asked).toBe(before);
    await ask({ question, material });
    expect(asked).toBe(before + 1);
  });
});
