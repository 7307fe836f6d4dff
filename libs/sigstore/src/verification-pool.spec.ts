import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { MEDIA_TYPES, sha256 } from '@packs/domain';
import { SpecSigner } from './signer.fixture';
import { encodeTrustMaterial } from './trust-material';
import { VerificationPool, type PoolSettings } from './verification-pool';
import type { VerificationTask } from './verification-task';

const ARTIFACT = Buffer.from('the bytes of a pack bundle');
const HOOK = path.resolve(__dirname, '../../../tools/testing/typescript.cjs');
const REAL = { file: path.join(__dirname, 'verification-worker.ts'), execArgv: ['--require', HOOK] };

const signer = new SpecSigner('ecdsa-p256-sha256', 'release');
const stranger = new SpecSigner('ecdsa-p256-sha256', 'release');
const materialOf = ({ key }: SpecSigner): Buffer => encodeTrustMaterial({ keys: [key] });

function taskOf(by = signer, artifact: Uint8Array = ARTIFACT, trusted = signer): VerificationTask {
  const { content } = by.messageBundle(artifact);
  const subjects = [{ digest: sha256(ARTIFACT), bytes: ARTIFACT }];
  return {
    kind: 'signature',
    evaluatedAt: '2026-02-01T00:00:00.000Z',
    trust: sha256(materialOf(trusted)),
    mediaType: MEDIA_TYPES.sigstoreBundle,
    content,
    subjects,
  };
}

describe('a pool of verifying threads', () => {
  let folder: string;
  let pool: VerificationPool | undefined;

  beforeAll(() => {
    folder = mkdtempSync(path.join(tmpdir(), 'packs-pool-'));
  });

  afterEach(() => pool?.close());
  afterAll(() => rmSync(folder, { recursive: true, force: true }));

  function open(settings: Partial<PoolSettings> = {}): VerificationPool {
    pool = new VerificationPool({ workers: 2, deadlineMs: 30_000, program: REAL, ...settings });
    return pool;
  }

  /** A thread that does `body` with each message. */
  function program(name: string, body: string): PoolSettings['program'] {
    const file = path.join(folder, `${name}.cjs`);
    writeFileSync(file, `const { parentPort } = require('node:worker_threads');\nparentPort.on('message', ({ task }) => { ${body} });\n`);
    return { file, execArgv: [] };
  }

  const answering = `parentPort.postMessage({ kind: 'answer', answer: { outcome: 'verified', signers: [] } })`;

  it('answers what the verification answers, and asks once in each thread for trust material', async () => {
    const material = jest.fn(() => materialOf(signer));
    const tasks = Array.from({ length: 20 }, (_, index) => taskOf(index % 2 === 0 ? signer : stranger));
    const threads = open();
    const told = await Promise.all(tasks.map(task => threads.run(task, material)));
    expect(told.map(({ outcome }) => outcome)).toEqual(tasks.map((_, index) => (index % 2 === 0 ? 'verified' : 'signature-refused')));
    expect(told[0]?.signers).toEqual([expect.objectContaining({ kind: 'key', name: 'release' })]);
    expect(material.mock.calls.length).toBeLessThanOrEqual(2);
  }, 60_000);

  it('keeps the trust of one tenant from the signatures of another', async () => {
    const threads = open({ workers: 1 });
    const [own, foreign] = [taskOf(), taskOf(signer, ARTIFACT, stranger)];
    expect(await threads.run(own, () => materialOf(signer))).toMatchObject({ outcome: 'verified' });
    expect(await threads.run(foreign, () => materialOf(stranger))).toMatchObject({ refusal: { reason: 'key-untrusted' } });
    expect(await threads.run(own, () => materialOf(stranger))).toMatchObject({ outcome: 'verified' });
  }, 60_000);

  it('ends a thread that is stuck, says so, and goes on with what waits', async () => {
    const stuckOnEmpty = program('stuck', `if (task.content.length === 0) for (;;); else ${answering};`);
    const threads = open({ workers: 1, deadlineMs: 1000, program: stuckOnEmpty });
    const stuck = threads.run({ ...taskOf(), content: Buffer.alloc(0) }, () => materialOf(signer));
    const after = threads.run(taskOf(), () => materialOf(signer));
    expect(await stuck).toMatchObject({ outcome: 'signature-refused', refusal: { reason: 'verification-timeout' } });
    expect(await after).toMatchObject({ outcome: 'verified' });
  }, 30_000);

  it.each([
    ['throws', 'throw new Error("broken")'],
    ['exits', 'process.exit(3)'],
    ['says that it broke', 'parentPort.postMessage({ kind: "broken", message: "broken" })'],
  ])(
    'answers for a thread that %s, and opens another',
    async (name, body) => {
      const brokenOnEmpty = program(name.replaceAll(' ', '-'), `if (task.content.length === 0) { ${body}; } else ${answering};`);
      const threads = open({ workers: 1, program: brokenOnEmpty });
      for (let round = 0; round < 3; round++) {
        const broken = await threads.run({ ...taskOf(), content: Buffer.alloc(0) }, () => materialOf(signer));
        expect(broken).toMatchObject({ refusal: { reason: 'verification-failed' } });
        expect(await threads.run(taskOf(), () => materialOf(signer))).toMatchObject({ outcome: 'verified' });
      }
    },
    30_000,
  );

  it('leaves nobody without an answer when it is closed', async () => {
    const threads = open({ workers: 1, program: program('silent', '') });
    const asked = [1, 2, 3].map(() => threads.run(taskOf(), () => materialOf(signer)));
    await threads.close();
    for (const answer of await Promise.all(asked)) expect(answer).toMatchObject({ refusal: { reason: 'verification-failed' } });
    expect(await threads.run(taskOf(), () => materialOf(signer))).toMatchObject({ refusal: { reason: 'verification-failed' } });
  }, 30_000);
});
