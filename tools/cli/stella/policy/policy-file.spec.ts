import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { bodyOf, json, LocalServer } from '../../testing/local-server';
import { runStella, type Run } from '../../testing/run-cli';

const POLICY = `channel: stable
unsigned: reject
rule:
  threshold:
    count: 2
    of: [{ keyRef: ann }, { keyRef: ben }, { oidcIssuer: { issuer: 'https://i.test', identity: a@b.test, extensions: { buildTrigger: push } } }]
require:
  algorithms: [fips, rsa-pss-sha256]
  attestations: [{ predicateType: 'https://slsa.dev/provenance/v1', rule: { keyRef: builder } }]
`;
const INPUT = {
  channel: 'stable',
  unsigned: 'reject',
  rule: {
    threshold: {
      count: 2,
      of: [
        { keyRef: 'ann' },
        { keyRef: 'ben' },
        { oidcIssuer: { issuer: 'https://i.test', identity: 'a@b.test', extensions: { buildTrigger: 'push' } } },
      ],
    },
  },
  require: {
    algorithms: ['rsa-pss-sha256', 'ecdsa-p256-sha256'],
    attestations: [{ predicateType: 'https://slsa.dev/provenance/v1', rule: { keyRef: 'builder' } }],
  },
};

let server: LocalServer;
let folder: string;
let env: Record<string, string>;
const sent: unknown[] = [];
const stella = (...args: string[]): Promise<Run> => runStella(args, { env });

beforeEach(async () => {
  sent.length = 0;
  folder = mkdtempSync(path.join(tmpdir(), 'stella-policy-'));
  server = new LocalServer({
    'PUT /api/policies/stable': async (request, response) => {
      sent.push(JSON.parse((await bodyOf(request)).toString()));
      json(response, { name: 'stable', version: 1, ...INPUT });
    },
    'GET /api/policies': (_, response) => json(response, { policies: [{ name: 'stable', version: 1, ...INPUT }] }),
  });
  env = { STELLA_REGISTRY_URL: await server.start(), STELLA_TOKEN: 'secret-token' };
});
afterEach(async () => {
  await server.stop();
  rmSync(folder, { recursive: true });
});

function file(text: string): string {
  const name = path.join(folder, 'policy.yaml');
  writeFileSync(name, text);
  return name;
}

describe('stella policy set --file', () => {
  it('sends all that the file says, sets of algorithms written out', async () => {
    const { code, stdout } = await stella('policy', 'set', 'stable', '--file', file(POLICY));
    expect(code).toBe(0);
    expect(sent).toEqual([INPUT]);
    expect(stdout).toContain('ann, ben, a@b.test (https://i.test)');
  });

  it('takes what show prints', async () => {
    const shown = await stella('policy', 'show', 'stable', '--output', 'json');
    expect(JSON.parse(shown.stdout)).toEqual({ name: 'stable', version: 1, ...INPUT });
    expect((await stella('policy', 'set', 'stable', '--file', file(shown.stdout))).code).toBe(0);
    expect(sent).toEqual([INPUT]);
  });

  it.each([
    ['has no rule', 'channel: stable\n'],
    ['has a member that is not known', `${POLICY}algorithm: ed25519\n`],
    ['is of another name', `name: other\n${POLICY}`],
    ['has a faulty rule', 'rule: { threshold: { count: 3, of: [{ keyRef: ann }] } }\n'],
    ['requires what it cannot', 'rule: { keyRef: ann }\nrequire: { algorithms: [fips, ed25519] }\n'],
    ['has another answer to what is unsigned', 'rule: { keyRef: ann }\nunsigned: maybe\n'],
    ['is no document', 'rule: [\n'],
    ['is a list', '- rule\n'],
  ])('asks nobody when the file %s', async (_, text) => {
    const { code, stderr } = await stella('policy', 'set', 'stable', '--file', file(text));
    expect([code === 0, stderr]).toEqual([false, expect.stringContaining('ERR_PACK_POLICY_INVALID')]);
    expect(sent).toEqual([]);
  });

  it.each([
    ['--key', 'ann'],
    ['--channel', 'edge'],
    ['--unsigned', 'pending'],
  ])('takes no %s beside a file', async (...option) => {
    const { code, stderr } = await stella('policy', 'set', 'stable', '--file', file(POLICY), ...option);
    expect([code === 0, stderr]).toEqual([false, expect.stringContaining('--file')]);
    expect(sent).toEqual([]);
  });
});

describe('stella policy show', () => {
  it('prints a policy whole, and says when there is none', async () => {
    const { stdout } = await stella('policy', 'show', 'stable');
    expect(stdout).toMatch(/^rule: .*"count":2.*"buildTrigger":"push"/m);
    expect(stdout).toMatch(/^require: .*"rsa-pss-sha256"/m);
    const none = await stella('policy', 'show', 'other');
    expect([none.code === 0, none.stderr]).toEqual([false, expect.stringContaining('ERR_PACK_NOT_FOUND')]);
  });
});
