import { bodyOf, json, LocalServer, problem } from '../../testing/local-server';
import { runRegistry, runStella, type Run } from '../../testing/run-cli';

const SEALED = {
  ...{ sealed: true, by: 'api', since: '2026-01-17T08:00:00.000Z', changedBy: 'user:alice', reason: 'shipped' },
  pendingUnseal: null,
};
const PENDING = {
  ...SEALED,
  pendingUnseal: {
    requestedBy: 'user:bob',
    requestedAt: '2026-01-18T08:00:00.000Z',
    expiresAt: '2026-01-19T08:00:00.000Z',
    reason: 'repair',
    approvals: [{ by: 'user:carol', at: '2026-01-18T09:00:00.000Z' }],
  },
};

let server: LocalServer;
let url: string;
const bodies: unknown[] = [];
const env = () => ({ STELLA_REGISTRY_URL: url, STELLA_TOKEN: 'secret-token' });
const stella = (...args: string[]): Promise<Run> => runStella(['registry', 'sealed', ...args], { env: env() });
const answer = (route: string, body: object): void =>
  server.on(route, async (request, response) => {
    bodies.push(JSON.parse((await bodyOf(request)).toString() || 'null'));
    json(response, body);
  });

beforeEach(async () => {
  bodies.length = 0;
  server = new LocalServer({});
  url = await server.start();
});
afterEach(() => server.stop());

describe('stella registry sealed', () => {
  it('shows the seal with the request that could end it', async () => {
    answer('GET /api/sealed', PENDING);
    const run = await stella('show');
    expect(run).toMatchObject({ code: 0, stderr: '' });
    expect(run.stdout).toMatch(/^sealed: +yes\nby: +user:alice\n/);
    expect(run.stdout).toMatch(/unseal asked by: +user:bob\nits reason: +repair\napproved by: +user:carol\nvoid after: +2026-01-19T08/);
  });

  it('prints the answer as it is with --output json, also as `registry`', async () => {
    answer('GET /api/sealed', SEALED);
    const run = await runRegistry(['sealed', 'show', '--output', 'json'], { env: env() });
    expect(JSON.parse(run.stdout)).toEqual(SEALED);
  });

  it('says when nobody can unseal it', async () => {
    answer('GET /api/sealed', { ...SEALED, by: 'configuration', since: null, changedBy: null, reason: null });
    expect((await stella('show')).stdout).toMatch(/^sealed: +yes\nby: +configuration: no request can unseal it\n$/);
  });

  it.each([
    ['seal', true],
    ['unseal', false],
  ])('%ss for a reason', async (verb, sealed) => {
    answer('PUT /api/sealed', PENDING);
    expect(await stella(verb, '--reason', 'repair')).toMatchObject({ code: 0 });
    expect(bodies).toEqual([{ sealed, reason: 'repair' }]);
    expect(await stella(verb)).toMatchObject({ code: 2 });
    expect(bodies).toHaveLength(1);
  });

  it('approves', async () => {
    answer('POST /api/sealed/approvals', { ...SEALED, sealed: false, by: null });
    const run = await stella('approve');
    expect(run.stdout).toMatch(/^sealed: +no\n/);
    expect(bodies).toEqual([null]);
  });

  it.each([
    [423, 'ERR_PACK_SEALED'],
    [403, 'ERR_PACK_APPROVAL'],
  ])('ends a %i %s with exit code 4', async (status, code) => {
    server.on('POST /api/sealed/approvals', (_, response) => problem(response, status, code, 'because'));
    const run = await stella('approve');
    expect(run).toMatchObject({ code: 4, stdout: '' });
    expect(run.stderr).toContain(`[${code}]`);
  });
});
