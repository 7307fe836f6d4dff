import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { encodeSignatureManifest, EMPTY_JSON, MEDIA_TYPES, sha256, type Digest } from '@packs/domain';
import { TestOciRegistry, type HeldRepository } from '@packs/testing';
import { runStella, type Run } from '../../../testing/run-cli';

let dir: string;
let files: string;
let registry: TestOciRegistry;
let held: HeldRepository;
let bundle: Buffer;
let manifestDigest: Digest;

const at = (name: string): string => path.join(dir, name);
const inFiles = (name: string): string => path.join(files, name);

beforeAll(async () => {
  files = await mkdtemp(path.join(tmpdir(), 'stella-oci-'));
  await runStella(['pack', 'init', inFiles('hello'), '--type', 'task']);
  await runStella(['pack', 'build', inFiles('hello'), '-o', inFiles('hello.tgz'), '--config', inFiles('hello.json')]);
  for (const name of ['release', 'stranger']) await runStella(['key', 'generate', '--out', files, '--name', name]);
  await runStella(['pack', 'sign', inFiles('hello.tgz'), '--key', inFiles('release.key.pem')]);
});
afterAll(() => rm(files, { recursive: true }));

/** The pack and its signature, as they lie in any registry. */
beforeEach(async () => {
  dir = await mkdtemp(path.join(tmpdir(), 'stella-pulled-'));
  registry = await TestOciRegistry.start({});
  held = registry.repository('team/hello');
  bundle = await readFile(inFiles('hello.tgz'));
  const config = keep(await readFile(inFiles('hello.json')), MEDIA_TYPES.packConfig);
  const layers = [keep(bundle, MEDIA_TYPES.packBundle)];
  const manifest = { schemaVersion: 2, mediaType: MEDIA_TYPES.ociManifest, artifactType: MEDIA_TYPES.pack, config, layers };
  const subject = keepManifest(Buffer.from(JSON.stringify(manifest)), '0.1.0');
  manifestDigest = subject.digest;
  keep(EMPTY_JSON, MEDIA_TYPES.ociEmpty);
  const signature = encodeSignatureManifest(keep(await readFile(inFiles('hello.tgz.sigstore.json')), MEDIA_TYPES.sigstoreBundle), subject);
  const { digest, size } = keepManifest(signature.bytes);
  const listed = { mediaType: MEDIA_TYPES.ociManifest, digest, size, artifactType: MEDIA_TYPES.sigstoreBundle };
  const index = { schemaVersion: 2, mediaType: INDEX, manifests: [listed] };
  keepManifest(Buffer.from(JSON.stringify(index)), manifestDigest.replace(':', '-'), INDEX);
});
afterEach(async () => {
  await registry.stop();
  await rm(dir, { recursive: true });
});

const INDEX = 'application/vnd.oci.image.index.v1+json';

function keep(bytes: Buffer, mediaType: string) {
  held.blobs.set(sha256(bytes), bytes);
  return { mediaType, digest: sha256(bytes), size: bytes.length };
}

function keepManifest(bytes: Buffer, tag?: string, mediaType: string = MEDIA_TYPES.ociManifest) {
  held.manifests.set(sha256(bytes), { mediaType, bytes });
  if (tag !== undefined) held.tags.set(tag, sha256(bytes));
  return { mediaType, digest: sha256(bytes), size: bytes.length };
}

function pull(reference = '0.1.0', key = 'release', ...more: readonly string[]): Promise<Run> {
  const from = `oci://${registry.host}/team/hello${reference.startsWith('sha256:') ? '@' : ':'}${reference}`;
  const args = ['--plain-http', '-o', at('out.tgz'), '--key', inFiles(`${key}.pub.pem`), '--output', 'json', ...more];
  return runStella(['pack', 'pull', from, ...args], { env: { DOCKER_CONFIG: dir } });
}

it('pulls a pack by its tag or its digest, with its signature', async () => {
  for (const reference of ['0.1.0', manifestDigest]) {
    const { code, stdout } = await pull(reference);
    expect(code).toBe(0);
    expect(JSON.parse(stdout)).toMatchObject({ packId: 'hello', version: '0.1.0', digest: sha256(bundle), manifestDigest });
    expect((await readdir(dir)).toSorted()).toEqual(['out.tgz', 'out.tgz.sigstore.json']);
    expect(await readFile(at('out.tgz'))).toEqual(bundle);
  }
});

it.each<[string, () => Promise<Run>, string]>([
  ['whose bundle has other bytes', () => altered(sha256(bundle)), 'ERR_REGISTRY_CORRUPT'],
  ['whose config has other bytes', async () => altered(sha256(await readFile(inFiles('hello.json')))), 'ERR_REGISTRY_CORRUPT'],
  ['that another key has signed', () => pull('0.1.0', 'stranger'), 'ERR_PACK_SIGNATURE_UNTRUSTED'],
  ['with another digest', () => pull('0.1.0', 'release', '--digest', `sha256:${'0'.repeat(64)}`), 'ERR_PACK_DIGEST_MISMATCH'],
])('leaves nothing of a pack %s', async (_, work, code) => {
  const run = await work();
  expect([run.code, run.stderr]).toEqual([6, expect.stringContaining(`[${code}]`)]);
  expect(await readdir(dir)).toEqual([]);
});

function altered(digest: Digest): Promise<Run> {
  held.blobs.set(digest, Buffer.alloc(held.blobs.get(digest)?.length ?? 0));
  return pull();
}

it.each([[['hello.tgz', '--reference', 'registry.example/hello:1']], [[]], [['--reference', 'r.example/hello:1', '--signature', 'x']]])(
  'pushes no %j: either a file or a reference',
  async args => {
    const { code, stderr } = await runStella(['pack', 'push', ...args]);
    expect([code, stderr]).toEqual([2, expect.stringContaining('[ERR_PACK_REQUEST_INVALID]')]);
  },
);
