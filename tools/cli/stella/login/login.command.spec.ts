import { mkdtemp, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { LocalServer, bodyOf, json } from '../../testing/local-server';
import { runStella } from '../../testing/run-cli';

const SECRET = 's3cret/with:signs';
const HOUR = 3_600_000;

let dir: string;
let env: Record<string, string>;
let server: LocalServer;
let url: string;
let granted: { authorization: string | undefined; form: URLSearchParams }[];
let tokens: number;

const tokenOf = (nth: number): string =>
  [
    'header',
    Buffer.from(JSON.stringify({ sub: 'ci', client_id: 'ci', tenant: 'acme', scope: 'packs.read', exp: nth })).toString('base64url'),
    'x',
  ].join('.');

beforeEach(async () => {
  dir = await mkdtemp(path.join(tmpdir(), 'stella-login-'));
  env = { STELLA_CONFIG_DIR: path.join(dir, 'config') };
  await writeFile(path.join(dir, 'secret'), `${SECRET}\n`);
  granted = [];
  tokens = 0;
  server = new LocalServer({
    'GET /api/client-config': (_, response) => json(response, { issuer: url, audience: 'packs-registry' }),
    'GET /.well-known/openid-configuration': (_, response) => json(response, { issuer: url, token_endpoint: `${url}/token` }),
    'POST /token': async (request, response) => {
      granted.push({ authorization: request.headers.authorization, form: new URLSearchParams((await bodyOf(request)).toString()) });
      json(response, { access_token: tokenOf(++tokens), expires_in: 3600 });
    },
    'GET /api/packs': (_, response) => json(response, { packs: [], next: null }),
  });
  url = await server.start();
});
afterEach(async () => {
  await server.stop();
  await rm(dir, { recursive: true, force: true });
});

const login = (...args: string[]): Promise<Awaited<ReturnType<typeof runStella>>> =>
  runStella(['login', '--url', url, '--client-id', 'ci', ...args], { env });

describe('stella login', () => {
  it('gets a token where the registry says, and keeps it for its owner alone', async () => {
    const run = await login('--client-secret-file', path.join(dir, 'secret'));
    expect(run).toMatchObject({ code: 0, stdout: '' });
    expect(run.stderr).toContain(`logged in to ${url} as ci of acme (packs.read)`);
    const basic = Buffer.from(granted[0]?.authorization?.replace('Basic ', '') ?? '', 'base64').toString();
    expect(basic).toBe('ci:s3cret%2Fwith%3Asigns');
    expect(Object.fromEntries(granted[0]?.form ?? [])).toEqual({ grant_type: 'client_credentials' });
    const file = path.join(dir, 'config/config.json');
    expect((await stat(file)).mode & 0o777).toBe(0o600);
    expect((await stat(path.dirname(file))).mode & 0o777).toBe(0o700);
    const stored = await readFile(file, 'utf8');
    expect(JSON.parse(stored)).toMatchObject({ url, issuer: url, clientId: 'ci', token: tokenOf(1), secretFile: path.join(dir, 'secret') });
    expect(stored).not.toContain(SECRET);
  });

  it('prints the token only when asked to', async () => {
    const run = await runStella(['login', '--url', url, '--client-id', 'ci', '--client-secret-stdin', '--print-token'], {
      env,
      stdin: `${SECRET}\n`,
    });
    expect(run.stdout).toBe(`${tokenOf(1)}\n`);
    expect(run.stderr).not.toContain(tokenOf(1));
  });

  it('takes no secret as an argument', async () => {
    expect((await login('--client-secret', SECRET)).code).toBe(2);
    expect((await login()).code).toBe(2);
  });

  it('refuses a discovery document of another issuer, and plain http to other machines', async () => {
    server.on('GET /.well-known/openid-configuration', (_, response) =>
      json(response, { issuer: 'https://evil.test', token_endpoint: `${url}/token` }),
    );
    expect((await login('--client-secret-file', path.join(dir, 'secret'))).code).toBe(8);
    expect(granted).toHaveLength(0);
    const run = await runStella(['login', '--url', 'http://registry.test', '--client-id', 'ci', '--client-secret-stdin'], {
      env,
      stdin: 'x',
    });
    expect(run.code).toBe(2);
  });

  it('says what the issuer says when it gives no token', async () => {
    server.on('POST /token', (_, response) =>
      json(response, { error: 'invalid_client', error_description: 'client authentication failed' }, 401),
    );
    const run = await login('--client-secret-file', path.join(dir, 'secret'));
    expect(run.code).toBe(3);
    expect(run.stderr).toContain('client authentication failed [ERR_PACK_AUTHENTICATION]');
  });

  it('renews the token shortly before it ends, when it can', async () => {
    await login('--client-secret-file', path.join(dir, 'secret'), '--scope', 'packs.read');
    const later = (ms: number) => ({ env, now: () => Date.now() + ms });
    await runStella(['pack', 'list'], later(HOUR - 60_000));
    expect(server.requests.at(-1)?.headers.authorization).toBe(`Bearer ${tokenOf(1)}`);
    await runStella(['pack', 'list'], later(HOUR - 20_000));
    expect(server.requests.at(-1)?.headers.authorization).toBe(`Bearer ${tokenOf(2)}`);
    expect(granted[1]?.form.get('scope')).toBe('packs.read');
    expect((await stat(path.join(dir, 'config/config.json'))).mode & 0o777).toBe(0o600);
  });

  it('asks to log in again when the secret came by stdin', async () => {
    await runStella(['login', '--url', url, '--client-id', 'ci', '--client-secret-stdin'], { env, stdin: SECRET });
    const run = await runStella(['pack', 'list'], { env, now: () => Date.now() + HOUR });
    expect(run.code).toBe(3);
    expect(run.stderr).toContain('stella login');
  });

  it('prefers the environment', async () => {
    const run = await runStella(['whoami', '--output', 'json'], { env: { ...env, STELLA_REGISTRY_URL: url, STELLA_TOKEN: tokenOf(9) } });
    expect(JSON.parse(run.stdout)).toEqual({
      registry: url,
      subject: 'ci',
      clientId: 'ci',
      tenant: 'acme',
      scopes: ['packs.read'],
      expiresAt: '1970-01-01T00:00:09.000Z',
    });
    expect(run.stdout).not.toContain(tokenOf(9));
  });

  describe('by docker', () => {
    const docker = async (auth: string) => {
      const auths = { [new URL(url).host]: { auth: Buffer.from(auth).toString('base64') } };
      await writeFile(path.join(dir, 'config.json'), JSON.stringify({ auths }));
      return { ...env, STELLA_REGISTRY_URL: url, DOCKER_CONFIG: dir };
    };
    const list = (used: Record<string, string>) => runStella(['pack', 'list'], { env: used });
    const sent = () => server.requests.at(-1)?.headers.authorization;

    it('is enough: its client and secret get a token, which is not kept', async () => {
      expect((await list(await docker(`ci:${SECRET}`))).code).toBe(0);
      expect(sent()).toBe(`Bearer ${tokenOf(1)}`);
      const basic = Buffer.from(granted[0]?.authorization?.replace('Basic ', '') ?? '', 'base64').toString();
      expect(basic).toBe('ci:s3cret%2Fwith%3Asigns');
      await expect(readFile(path.join(dir, 'config/config.json'))).rejects.toMatchObject({ code: 'ENOENT' });
    });

    it('may be an access token itself', async () => {
      await list(await docker(`<token>:${tokenOf(7)}`));
      expect([sent(), granted]).toEqual([`Bearer ${tokenOf(7)}`, []]);
    });

    it('comes after a login to the same registry, and after the environment', async () => {
      await login('--client-secret-file', path.join(dir, 'secret'));
      const used = await docker(`other:${SECRET}`);
      await list(used);
      expect(sent()).toBe(`Bearer ${tokenOf(1)}`);
      await list({ ...used, STELLA_TOKEN: tokenOf(8) });
      expect(sent()).toBe(`Bearer ${tokenOf(8)}`);
      expect(granted).toHaveLength(1);
    });

    it('is not used for another registry', async () => {
      const used = await docker(`ci:${SECRET}`);
      const run = await list({ ...used, STELLA_REGISTRY_URL: url.replace('127.0.0.1', 'localhost') });
      expect(run).toMatchObject({ code: 3, stderr: expect.stringContaining('not logged in') as string });
      expect(granted).toEqual([]);
    });

    it('is said to be wrong when it cannot be read', async () => {
      await writeFile(path.join(dir, 'config.json'), '{');
      const run = await list({ ...env, STELLA_REGISTRY_URL: url, DOCKER_CONFIG: dir });
      expect(run).toMatchObject({ code: 3, stderr: expect.stringContaining('config.json is not a JSON object') as string });
    });
  });

  it('is undone by logout', async () => {
    await login('--client-secret-file', path.join(dir, 'secret'));
    expect(await runStella(['logout'], { env })).toMatchObject({ code: 0, stderr: 'logged out\n' });
    expect((await runStella(['whoami'], { env })).code).toBe(3);
    expect(await runStella(['logout'], { env })).toMatchObject({ code: 0, stderr: 'was not logged in\n' });
  });
});
