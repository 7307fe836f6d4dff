import { bodyOf, json, LocalServer, problem } from '../../testing/local-server';
import { runRegistry, runStella, type Run } from '../../testing/run-cli';

const ID = '01KF5B4M7N0000000000000001';
const DONE = {
  ...{ id: ID, state: 'completed', requestedBy: 'client:op', requestedAt: '2026-02-01T00:00:00.000Z', startedAt: null, finishedAt: null },
  ...{ since: null, sample: 1, examined: 40, bytes: 4096, damaged: 0, unreadable: 0, digests: [] },
};

let server: LocalServer;
let url: string;
const bodies: unknown[] = [];
const env = () => ({ STELLA_REGISTRY_URL: url, STELLA_TOKEN: 'secret-token' });
const scrub = (...args: string[]): Promise<Run> => runRegistry(['scrub', ...args], { env: env() });

beforeEach(async () => {
  bodies.length = 0;
  server = new LocalServer({});
  url = await server.start();
  server.on('POST /api/scrubs', async (request, response) => {
    bodies.push(JSON.parse((await bodyOf(request)).toString()));
    json(response, { ...DONE, state: 'queued', examined: 0 });
  });
});
afterEach(() => server.stop());

const show = (...answers: object[]): void => {
  let at = 0;
  server.on(`GET /api/scrubs/${ID}`, (_, response) => json(response, { ...DONE, ...answers[Math.min(at++, answers.length - 1)] }));
};

describe('registry scrub', () => {
  it('waits until it is done, and prints what it has found', async () => {
    show({ state: 'running' }, {});
    const run = await scrub('--since', '2026-01-31', '--sample', '10');
    expect(run).toMatchObject({ code: 0, stderr: '' });
    expect(run.stdout).toMatch(/state: +completed\n[\s\S]*examined: +40\n/);
    expect(bodies).toEqual([{ since: '2026-01-31T00:00:00.000Z', sample: 10 }]);
  });

  it.each([{ damaged: 2 }, { unreadable: 2 }])('ends with another code when it found %j', async found => {
    show({ ...found, digests: ['sha256:a', 'sha256:b'] });
    const run = await scrub('--output', 'json');
    expect([run.code, JSON.parse(run.stdout)]).toEqual([6, { ...DONE, ...found, digests: ['sha256:a', 'sha256:b'] }]);
    expect(run.stderr).toContain('2 of 40 blobs are damaged or cannot be read');
    expect((await scrub('--show', ID)).code).toBe(6);
  });

  it('does not wait if so told, shows an earlier one, and ends one', async () => {
    expect((await scrub('--no-wait')).stdout).toMatch(/state: +queued\n/);
    show({});
    expect((await runStella(['registry', 'scrub', '--show', ID], { env: env() })).code).toBe(0);
    server.on(`DELETE /api/scrubs/${ID}`, (_, response) => json(response, { ...DONE, state: 'cancelled', damaged: 1 }));
    expect(await scrub('--cancel', ID)).toMatchObject({ code: 0, stdout: expect.stringMatching(/state: +cancelled/) as string });
    expect(bodies).toHaveLength(1);
  });

  it.each([
    [['--sample', '0'], 2],
    [['--since', 'soon'], 2],
    [['--show', ID, '--cancel', ID], 2],
    [['--show', ID, '--sample', '3'], 2],
  ])('does not take %j', async (args, code) => {
    expect(await scrub(...args)).toMatchObject({ code, stdout: '' });
    expect(bodies).toEqual([]);
  });

  it('says when another has not ended', async () => {
    server.on('POST /api/scrubs', (_, response) => problem(response, 409, 'ERR_PACK_CONFLICT', `scrub ${ID} has not ended`));
    const run = await scrub();
    expect([run.code, run.stderr]).toEqual([7, expect.stringContaining(ID)]);
  });
});
