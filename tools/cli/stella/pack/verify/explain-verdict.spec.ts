import type { VerdictAnswer } from '@packs/contracts';
import { sha256, type Verdict } from '@packs/domain';
import { json, LocalServer } from '../../../testing/local-server';
import { runStella, type Run } from '../../../testing/run-cli';

const SIGNATURE = sha256('signature');
const STORED: Verdict & { hash: string } = {
  schema: 'stellaops.io/verdict.v1',
  outcome: 'accepted',
  subject: { bundle: sha256('bundle') },
  policy: { name: 'default', version: 2, digest: sha256('policy') },
  trust: { digest: sha256('trust'), epoch: 4 },
  evidence: [SIGNATURE],
  checks: [
    { id: 'digest', outcome: 'pass', reason: 'ok' },
    { id: 'signature', outcome: 'pass', reason: 'ok', evidence: SIGNATURE },
    { id: 'age', outcome: 'pass', reason: 'ok', evidence: SIGNATURE },
    { id: 'policy', outcome: 'pass', reason: 'ok' },
  ],
  identities: [{ kind: 'key', name: 'release', keyId: sha256('key'), scheme: 'ed25519', signature: SIGNATURE }],
  evaluatedAt: '2026-01-17T08:00:00.000Z',
  hash: sha256('stored'),
};
const CURRENT: Verdict & { hash: string } = {
  ...STORED,
  outcome: 'rejected',
  identities: [],
  checks: [
    { id: 'signature', outcome: 'pass', reason: 'ok', evidence: SIGNATURE },
    { id: 'age', outcome: 'fail', reason: 'signature-too-old', evidence: SIGNATURE },
    { id: 'policy', outcome: 'skipped', reason: 'not-reached' },
  ],
  hash: sha256('current'),
};
const SERVED: VerdictAnswer = {
  packId: 'hello',
  tenant: 'acme',
  version: '1.0.0',
  state: 'served',
  stored: STORED,
  current: null,
  faults: [],
};
const FAULT = { code: 'ERR_PACK_SIGNATURE_UNTRUSTED', reason: 'signature-too-old', message: 'made long ago', field: 'signatures[0]' };
const WITHDRAWN: VerdictAnswer = { ...SERVED, state: 'withdrawn', current: CURRENT, faults: [FAULT] };

let server: LocalServer;
let env: Record<string, string>;
let answer: VerdictAnswer;
const explain = (...more: string[]): Promise<Run> => runStella(['pack', 'verify', 'hello@1.0.0', '--explain', ...more], { env });

beforeEach(async () => {
  server = new LocalServer({ 'GET /api/packs/hello/versions/1.0.0/verdict': (_, response) => json(response, answer) });
  env = { STELLA_REGISTRY_URL: await server.start(), STELLA_TOKEN: 'secret-token' };
});
afterEach(() => server.stop());

describe('stella pack verify --explain', () => {
  it('prints each check with its reason and what that means, and what the verdict rests on', async () => {
    answer = SERVED;
    const { code, stdout } = await explain();
    expect(code).toBe(0);
    expect(stdout).toMatch(/^age +pass +ok +sha256:\S+ +a signature is not older than the policy allows$/m);
    for (const text of [STORED.hash, `default version 2 ${sha256('policy')}`, `epoch 4 ${sha256('trust')}`, `release (${sha256('key')})`]) {
      expect(stdout).toContain(text);
    }
  });

  it('ends otherwise for a version that is withdrawn, with the verdict of now', async () => {
    answer = WITHDRAWN;
    const { code, stdout, stderr } = await explain();
    expect([code === 0, stderr]).toEqual([false, expect.stringContaining('ERR_PACK_WITHDRAWN')]);
    expect(stderr).toContain('made long ago (signature-too-old)');
    expect(stdout).toMatch(/^age +fail +signature-too-old +sha256:\S+ +the signature was made earlier than the policy allows/m);
    expect(stdout).toContain(CURRENT.hash);
    expect(stdout).not.toContain(STORED.hash);
  });

  it('prints the answer as it is where JSON is asked for', async () => {
    answer = WITHDRAWN;
    expect(JSON.parse((await explain('--output', 'json')).stdout)).toEqual(WITHDRAWN);
  });

  it('is for versions, and one of two things that can be asked for', async () => {
    const file = await runStella(['pack', 'verify', __filename, '--explain'], { env });
    expect([file.code === 0, file.stderr]).toEqual([false, expect.stringContaining('packId@version')]);
    const nothing = await runStella(['pack', 'verify', 'hello@1.0.0'], { env });
    expect([nothing.code === 0, nothing.stderr]).toEqual([false, expect.stringContaining('--explain')]);
  });
});
