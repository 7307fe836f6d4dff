import { LocalServer, bodyOf, json, problem } from '../../testing/local-server';
import { runStella, type Run } from '../../testing/run-cli';

const PROMOTE = 'POST /api/packs/acme.hello/promote';
const LIFECYCLE = 'POST /api/packs/acme.hello/versions/1.2.0/lifecycle';
const PROMOTED = {
  packId: 'acme.hello',
  version: '1.2.0',
  tenant: 'acme',
  channel: 'stable',
  previousVersion: '1.1.0',
  digest: 'sha256:d',
  verdict: 'sha256:v',
  promotedAt: '2026-01-17T08:00:00.000Z',
  changed: true,
};

let server: LocalServer;
let url: string;
const bodies: unknown[] = [];
const stella = (...args: string[]): Promise<Run> => runStella(args, { env: { STELLA_REGISTRY_URL: url, STELLA_TOKEN: 'secret-token' } });
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

describe('stella pack promote', () => {
  const promote = ['pack', 'promote', 'acme.hello@1.2.0', '--channel', 'stable'];

  it('says what the channel pointed at before', async () => {
    answer(PROMOTE, PROMOTED);
    const run = await stella(...promote, '--from', 'edge');
    expect(run).toMatchObject({ code: 0, stderr: '' });
    expect(bodies).toEqual([{ version: '1.2.0', channel: 'stable', from: 'edge' }]);
    expect(run.stdout).toMatch(/^promoted:\s+acme\.hello@1\.2\.0\nchannel:\s+stable\nbefore:\s+1\.1\.0\n/);
  });

  it('says that nothing changed', async () => {
    answer(PROMOTE, { ...PROMOTED, changed: false });
    const run = await stella(...promote);
    expect(bodies).toEqual([{ version: '1.2.0', channel: 'stable' }]);
    expect(run.stdout).toMatch(/^unchanged:\s+acme\.hello@1\.2\.0\n/);
    expect(run.stdout).not.toContain('before');
  });

  it('prints the answer as it is with --output json', async () => {
    answer(PROMOTE, PROMOTED);
    expect(JSON.parse((await stella(...promote, '--output', 'json')).stdout)).toEqual(PROMOTED);
  });

  it.each([
    [409, 'ERR_PACK_CONFLICT', 7],
    [409, 'ERR_PACK_LIFECYCLE', 7],
    [422, 'ERR_PACK_CHANNEL_UNKNOWN', 2],
    [422, 'ERR_PACK_VERDICT_REJECTED', 4],
    [403, 'ERR_PACK_WITHDRAWN', 4],
    [404, 'ERR_PACK_NOT_FOUND', 5],
  ])('ends a %i %s with exit code %i', async (status, code, exit) => {
    server.on(PROMOTE, (_, response) => problem(response, status, code, 'because', [{ field: 'channel', message: 'of this' }]));
    const run = await stella(...promote);
    expect(run).toMatchObject({ code: exit, stdout: '' });
    expect(run.stderr).toContain(`[${code}]`);
  });

  it.each([
    [['pack', 'promote', 'acme.hello', '--channel', 'stable']],
    [['pack', 'promote', 'acme.hello@1.2.0']],
    [['pack', 'promote', 'acme.hello@1.2.0', '--channel', 'Not A Channel']],
    [['channel', 'set', '../trust']],
  ])('asks nobody when the command line is wrong: %j', async args => {
    expect((await stella(...args)).code).toBe(2);
    expect(server.requests).toEqual([]);
  });
});

describe('stella pack archive', () => {
  it('archives with a reason and a replacement', async () => {
    answer(LIFECYCLE, {
      archival: { at: '2026-01-17T08:00:00.000Z', by: 'alice', reason: 'old' },
      deprecation: { replacement: 'acme.new' },
    });
    const run = await stella('pack', 'archive', 'acme.hello@1.2.0', '--reason', 'old', '--replacement', 'acme.new');
    expect(bodies).toEqual([{ state: 'archived', reason: 'old', replacement: 'acme.new' }]);
    expect(run.stdout).toMatch(/^archived:\s+acme\.hello@1\.2\.0\n/);
    expect(run.stdout).toMatch(/reason:\s+old\n/);
    expect(run.stdout).toMatch(/replacement:\s+acme\.new\n/);
  });
});

describe('stella pack list and show', () => {
  const PACK = { packId: 'acme.hello', version: '1.0.0', type: 'task', name: 'Hello', channels: {}, tags: [], lifecycle: 'archived' };
  const version = (number: string, lifecycle: string) => ({
    version: number,
    lifecycle,
    channels: ['lts'],
    signatures: [],
    digest: 'sha256:d',
  });

  it('list shows the state and can be asked for one', async () => {
    answer('GET /api/packs', { packs: [PACK], next: null });
    const run = await stella('pack', 'list', '--lifecycle', 'all');
    expect(run.stdout.split('\n')[1]).toMatch(/^acme\.hello\s+1\.0\.0\s+task\s+archived\s+Hello$/);
    expect(server.requests[0]?.query.get('lifecycle')).toBe('all');
    expect((await stella('pack', 'list', '--lifecycle', 'gone')).code).toBe(2);
  });

  it('show has versions of every state', async () => {
    answer('GET /api/packs/acme.hello', { pack: PACK });
    answer('GET /api/packs/acme.hello/versions', { versions: [version('1.1.0', 'active'), version('1.0.0', 'archived')], next: null });
    const run = await stella('pack', 'show', 'acme.hello');
    expect(run.stdout).toMatch(/1\.1\.0\s.*\sactive\s/);
    expect(run.stdout).toMatch(/1\.0\.0\s.*\sarchived\s/);
    expect(server.requests[1]?.query.get('lifecycle')).toBe('all');
  });
});

describe('stella channel', () => {
  it('lists channels with those that are built in', async () => {
    const channels = [
      { name: 'edge', description: 'Everything', builtIn: true, createdAt: null, createdBy: null },
      { name: 'nightly', description: 'Every night', builtIn: false, createdAt: '2026-01-17T08:00:00.000Z', createdBy: 'alice' },
    ];
    answer('GET /api/channels', { channels });
    const { stdout } = await stella('channel', 'list');
    expect(stdout).toMatch(/^edge\s+\(built in\)\s+Everything$/m);
    expect(stdout).toMatch(/^nightly\s+2026-01-17T08:00:00\.000Z\s+alice\s+Every night$/m);
  });

  it('adds a channel', async () => {
    answer('PUT /api/channels/nightly', {
      name: 'nightly',
      description: 'Every night',
      builtIn: false,
      createdAt: 'now',
      createdBy: 'alice',
    });
    expect((await stella('channel', 'set', 'nightly', '--description', 'Every night')).code).toBe(0);
    expect(bodies).toEqual([{ description: 'Every night' }]);
  });
});
