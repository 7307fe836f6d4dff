import { randomBytes } from 'node:crypto';
import { mkdtemp, readFile, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { sha256, type Digest } from '@packs/domain';
import { LocalServer, bodyOf, json, problem } from '../../testing/local-server';
import { runRegistry, runStella, type Run } from '../../testing/run-cli';

let dir: string;
let server: LocalServer;
let url: string;
let bundle: Buffer;
let digest: Digest;
let signature: Buffer;

const at = (name: string): string => path.join(dir, name);
const stella = (...args: string[]): Promise<Run> =>
  runStella(args, { env: { STELLA_CONFIG_DIR: dir, STELLA_REGISTRY_URL: url, STELLA_TOKEN: 'secret-token' } });

const ROUTE = '/api/packs/big/versions/1.0.0';

beforeAll(async () => {
  dir = await mkdtemp(path.join(tmpdir(), 'stella-transfer-'));
  await runStella(['pack', 'init', at('big'), '--type', 'task']);
  await writeFile(at('big/data.bin'), randomBytes(400_000));
  const manifest = await readFile(at('big/pack.yaml'), 'utf8');
  await writeFile(at('big/pack.yaml'), manifest.replace('0.1.0', '1.0.0'));
  await runStella(['pack', 'build', at('big'), '-o', at('big.tgz')]);
  await runStella(['key', 'generate', '--out', dir, '--name', 'release']);
  await runStella(['pack', 'sign', at('big.tgz'), '--key', at('release.key.pem')]);
  bundle = await readFile(at('big.tgz'));
  digest = sha256(bundle);
  signature = await readFile(at('big.tgz.sigstore.json'));
});
afterAll(() => rm(dir, { recursive: true, force: true }));

beforeEach(async () => {
  server = new LocalServer({
    [`GET ${ROUTE}`]: (_, response) => json(response, { packId: 'big', version: '1.0.0', digest, size: bundle.length }),
    [`GET ${ROUTE}/signatures`]: (_, response) =>
      json(response, {
        signatures: [
          {
            digest: sha256(signature),
            mediaType: 'application/vnd.dev.sigstore.bundle.v0.3+json',
            size: signature.length,
            content: signature.toString('base64'),
          },
        ],
      }),
  });
  url = await server.start();
});
afterEach(async () => {
  await server.stop();
  for (const file of await readdir(dir)) if (file.startsWith('out.')) await rm(at(file));
});

function serve(bytes: Buffer, options: { cutAt?: number; ranges?: boolean } = {}): void {
  server.on(`GET ${ROUTE}/bundle`, (request, response) => {
    const matches = request.headers['if-range'] === `"${digest}"`;
    const start = options.ranges && matches ? Number(/^bytes=(\d+)-$/.exec(request.headers.range ?? '')?.[1] ?? 0) : 0;
    if (start > 0) response.writeHead(206, { 'content-range': `bytes ${start}-${bytes.length - 1}/${bytes.length}` });
    if (options.cutAt === undefined) return void response.end(bytes.subarray(start));
    response.setHeader('content-length', bytes.length);
    response.write(bytes.subarray(start, options.cutAt), () => setImmediate(() => response.destroy()));
  });
}

describe('stella pack pull', () => {
  const pull = (...args: string[]): Promise<Run> =>
    stella('pack', 'pull', 'big@1.0.0', '-o', at('out.tgz'), '--key', at('release.pub.pem'), '--output', 'json', ...args);
  const left = async (): Promise<string[]> => (await readdir(dir)).filter(file => file.startsWith('out.'));

  it('fetches the bundle and its signature and checks both', async () => {
    serve(bundle);
    const run = await pull();
    expect(run.stderr).toBe('');
    expect(JSON.parse(run.stdout)).toMatchObject({ packId: 'big', version: '1.0.0', digest, signedBy: { name: 'release' } });
    expect(await readFile(at('out.tgz'))).toEqual(bundle);
    expect(await readFile(at('out.tgz.sigstore.json'))).toEqual(signature);
    expect(await left()).toHaveLength(2);
    expect(server.requests.at(-1)?.headers).toMatchObject({
      authorization: 'Bearer secret-token',
      'user-agent': expect.stringMatching(/^stella\//),
    });
  });

  it('goes on where it was cut', async () => {
    serve(bundle, { cutAt: 150_000, ranges: true });
    expect(await pull()).toMatchObject({ code: 8, stdout: '' });
    expect(await left()).toEqual(['out.tgz.part']);
    const length = (await readFile(at('out.tgz.part'))).length;
    expect(length).toBeGreaterThan(0);
    serve(bundle, { ranges: true });
    expect((await pull()).code).toBe(0);
    expect(server.requests.at(-1)?.headers).toMatchObject({ range: `bytes=${length}-`, 'if-range': `"${digest}"` });
    expect(await readFile(at('out.tgz'))).toEqual(bundle);
  });

  it('starts again when the registry sends no range', async () => {
    await writeFile(at('out.tgz.part'), bundle.subarray(0, 1000));
    serve(bundle);
    expect((await pull()).code).toBe(0);
    expect(await readFile(at('out.tgz'))).toEqual(bundle);
  });

  it('starts again when what was left is not of this bundle', async () => {
    for (const rest of [Buffer.alloc(1000), Buffer.alloc(bundle.length), Buffer.alloc(bundle.length + 1)]) {
      await writeFile(at('out.tgz.part'), rest);
      serve(bundle, { ranges: true });
      expect((await pull()).code).toBe(0);
      expect(await readFile(at('out.tgz'))).toEqual(bundle);
    }
  });

  it('fetches nothing twice that is all there', async () => {
    await writeFile(at('out.tgz.part'), bundle);
    expect((await pull()).code).toBe(0);
  });

  it('leaves nothing of bytes with another digest', async () => {
    const changed = Buffer.from(bundle);
    changed[1000] = (changed[1000] ?? 0) ^ 1;
    serve(changed);
    const run = await pull();
    expect(run.code).toBe(6);
    expect(run.stderr).toContain('[ERR_PACK_DIGEST_MISMATCH]');
    expect(await left()).toEqual([]);
    serve(Buffer.concat([bundle, Buffer.alloc(10)]));
    expect((await pull()).code).toBe(6);
    expect(await readdir(dir)).not.toContain('out.tgz');
  });

  it('names nothing the file that is not signed by the key, or is another pack', async () => {
    serve(bundle);
    await stella('key', 'generate', '--out', dir, '--name', 'stranger');
    const args = ['pack', 'pull', 'big@1.0.0', '-o', at('out.tgz'), '--key', at('stranger.pub.pem')];
    expect((await stella(...args)).code).toBe(6);
    expect((await pull('--digest', `sha256:${'0'.repeat(64)}`)).code).toBe(6);
    server.on('GET /api/packs/other/versions/1.0.0', (_, response) => json(response, { digest, size: bundle.length }));
    server.on('GET /api/packs/other/versions/1.0.0/signatures', (_, response) => json(response, { signatures: [] }));
    server.on('GET /api/packs/other/versions/1.0.0/bundle', (_, response) => void response.end(bundle));
    const run = await stella('pack', 'pull', 'other@1.0.0', '-o', at('out.tgz'));
    expect(run.code).toBe(6);
    expect(run.stderr).toContain('the bundle says it is big@1.0.0 [ERR_PACK_MANIFEST_MISMATCH]');
    expect(await readdir(dir)).not.toContain('out.tgz');
  });

  it('is the same for verify, which keeps nothing', async () => {
    serve(bundle);
    const run = await stella('pack', 'verify', 'big@1.0.0', '--key', at('release.pub.pem'));
    expect(run).toMatchObject({ code: 0, stdout: expect.stringContaining('big@1.0.0') });
    expect(await left()).toEqual([]);
  });
});

describe('stella pack push', () => {
  const POST = 'POST /api/packs/big/versions';

  it('sends the bundle, its signatures and what they are', async () => {
    let form: FormData | undefined;
    server.on(POST, async (request, response) => {
      const headers = { 'content-type': request.headers['content-type'] ?? '' };
      form = await new Response(new Uint8Array(await bodyOf(request)), { headers }).formData();
      json(response, { packId: 'big', version: '1.0.0', digest, state: 'published' }, 201);
    });
    const run = await stella('pack', 'push', at('big.tgz'), '--channel', 'beta', '--progress');
    expect(run).toMatchObject({ code: 0, stdout: expect.stringContaining('published') });
    expect(run.stderr).toContain('pushing big@1.0.0 100%');
    const request = server.requests.at(-1);
    expect(Object.fromEntries(request?.query ?? [])).toEqual({ channel: 'beta', digest });
    expect(request?.headers['idempotency-key']).toMatch(/^[0-9a-f-]{36}$/);
    const part = form?.get('bundle') as File;
    expect(part.type).toBe('application/vnd.stellaops.pack.bundle.v1.tar+gzip');
    expect(Buffer.from(await part.arrayBuffer())).toEqual(bundle);
    const signatures = form?.getAll('signature') as File[];
    expect(signatures.map(file => file.type)).toEqual(['application/vnd.dev.sigstore.bundle.v0.3+json']);
    expect(await signatures[0]?.text()).toBe(signature.toString());
  });

  it('sends nothing unsigned unless it is told to', async () => {
    await writeFile(at('out.tgz'), bundle);
    expect(await stella('pack', 'push', at('out.tgz'))).toMatchObject({ code: 4, stderr: expect.stringContaining('--insecure-publish') });
    expect(server.requests).toEqual([]);
    server.on(POST, async (request, response) => {
      await bodyOf(request);
      json(response, { state: 'published' });
    });
    expect((await stella('pack', 'push', at('out.tgz'), '--insecure-publish')).code).toBe(0);
  });

  it('does not send a bundle the registry would refuse', async () => {
    await writeFile(at('out.tgz'), bundle.subarray(0, -1));
    expect((await stella('pack', 'push', at('out.tgz'), '--insecure-publish')).code).toBe(6);
    expect(server.requests).toEqual([]);
  });

  it('reports each fault of a rejection, and no token', async () => {
    server.on(POST, async (request, response) => {
      await bodyOf(request);
      problem(response, 422, 'ERR_PACK_VERDICT_REJECTED', 'the pack was not accepted', [
        { code: 'ERR_PACK_SIGNATURE_UNTRUSTED', field: 'signature', message: 'the key is not trusted' },
      ]);
    });
    const run = await stella('pack', 'push', at('big.tgz'));
    expect(run).toEqual({
      code: 4,
      stdout: '',
      stderr:
        'error: the pack was not accepted [ERR_PACK_VERDICT_REJECTED]\n  signature: the key is not trusted [ERR_PACK_SIGNATURE_UNTRUSTED]\n',
    });
  });
});

describe('stella and registry, asking', () => {
  it('collects pages until there are enough rows', async () => {
    server.on('GET /api/packs', (request, response) => {
      const first = Number(new URL(request.url ?? '', url).searchParams.get('cursor') ?? 0);
      const row = { packId: `p${first}`, version: '1.0.0', type: 'task', name: 'P', channels: { edge: '1.0.0' } };
      json(response, { packs: [row], next: String(first + 1) });
    });
    const run = await stella('pack', 'list', '--limit', '3', '--type', 'task');
    expect(run.stdout.split('\n').map(line => line.split(' ')[0])).toEqual(['PACK', 'p0', 'p1', 'p2', '']);
    expect(server.requests.every(({ query }) => query.get('type') === 'task')).toBe(true);
  });

  it('says what was not found, and when nobody answers', async () => {
    expect(await stella('pack', 'show', 'nothing')).toMatchObject({ code: 5, stderr: expect.stringContaining('[ERR_PACK_NOT_FOUND]') });
    await server.stop();
    expect(await stella('pack', 'list')).toMatchObject({ code: 8, stderr: expect.stringContaining('ECONNREFUSED') });
    server = new LocalServer({});
    url = await server.start();
  });

  it('replaces the trusted key of the same name only', async () => {
    const old = [
      { name: 'kept', publicKey: 'k', scheme: 'ed25519', keyId: 'sha256:k' },
      { name: 'release', publicKey: 'r', scheme: 'ed25519', keyId: 'sha256:r' },
    ];
    server.on('GET /api/trust', (_, response) => json(response, { epoch: 1, digest, keys: old }));
    let sent: { keys: { name: string; publicKey: string; scheme: string }[] } | undefined;
    server.on('PUT /api/trust', async (request, response) => {
      sent = JSON.parse((await bodyOf(request)).toString());
      json(response, { epoch: 2, digest, keys: sent?.keys.map(key => ({ ...key, keyId: 'sha256:x' })) });
    });
    expect((await stella('trust', 'add', '--name', 'release', '--key', at('release.pub.pem'))).code).toBe(0);
    expect(sent?.keys.map(({ name, scheme }) => `${name} ${scheme}`)).toEqual(['kept ed25519', 'release ecdsa-p256-sha256']);
    expect((await stella('trust', 'remove', '--name', 'nobody')).code).toBe(5);
  });

  it('sets a policy of one key or of any of several', async () => {
    const sent: unknown[] = [];
    server.on('PUT /api/policies/default', async (request, response) => {
      const input = JSON.parse((await bodyOf(request)).toString()) as object;
      sent.push(input);
      json(response, { name: 'default', version: sent.length, ...input });
    });
    await stella('policy', 'set', 'default', '--key', 'release');
    const run = await stella('policy', 'set', 'default', '--key', 'release', '--key', 'next', '--channel', 'edge', '--unsigned', 'allow');
    expect(sent).toEqual([
      { rule: { keyRef: 'release' }, unsigned: 'pending' },
      { channel: 'edge', rule: { anyOf: [{ keyRef: 'release' }, { keyRef: 'next' }] }, unsigned: 'allow' },
    ]);
    expect(run.stdout).toContain('release, next');
  });

  it('lists and replays dead letters', async () => {
    const env = { STELLA_CONFIG_DIR: dir, STELLA_REGISTRY_URL: url, STELLA_TOKEN: 't' };
    server.on('GET /api/dead-letters', (_, response) => json(response, { deadLetters: [{ id: 'd1', reason: 'bad' }], next: null }));
    server.on('POST /api/dead-letters/d1/replay', (_, response) => void response.writeHead(204).end());
    expect((await runRegistry(['dead-letters', 'list'], { env })).stdout).toMatch(/d1 .*bad/);
    expect(await runRegistry(['dead-letters', 'replay', 'd1'], { env })).toMatchObject({ code: 0, stdout: 'replayed: d1\n' });
    expect((await runRegistry(['dead-letters', 'replay', 'd2'], { env })).code).toBe(5);
  });
});
