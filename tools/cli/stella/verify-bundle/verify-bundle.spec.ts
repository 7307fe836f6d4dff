import { createHash, generateKeyPairSync, sign } from 'node:crypto';
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { runStella, type Run } from '../../testing/run-cli';

const CASES = path.resolve(__dirname, '../../../../../shared/testdata/sigstore-bundles');
const hasCases = existsSync(CASES);
const BEACON = 'https://github.com/sigstore-conformance/extremely-dangerous-public-oidc-beacon';
const IDENTITY = `${BEACON}/.github/workflows/extremely-dangerous-oidc-beacon.yml@refs/heads/main`;
const ISSUER = 'https://token.actions.githubusercontent.com';

function fileOf(name: string, file: string): string | undefined {
  const place = path.join(CASES, name, file);
  return existsSync(place) ? place : undefined;
}

function textOf(name: string, file: string): string | undefined {
  const place = fileOf(name, file);
  return place && readFileSync(place, 'utf8').trim();
}

function argsOf(name: string): string[] {
  const key = fileOf(name, 'key.pub');
  const root = fileOf(name, 'trusted_root.json');
  const who = [
    ...['--certificate-identity', textOf(name, 'identity') ?? IDENTITY],
    ...['--certificate-oidc-issuer', textOf(name, 'issuer') ?? ISSUER],
  ];
  return [
    ...['verify-bundle', '--bundle', path.join(CASES, name, 'bundle.sigstore.json')],
    ...(key === undefined ? who : ['--key', key]),
    ...(root === undefined ? [] : ['--trusted-root', root]),
  ];
}

(hasCases ? describe : describe.skip)(
  `stella verify-bundle${hasCases ? '' : ' (skipped: ../shared/testdata is not beside this repository)'}`,
  () => {
    it.each(hasCases ? readdirSync(CASES).filter(name => name !== 'a.txt') : ['none'])('tells %s by its exit code alone', async name => {
      const artifact = fileOf(name, 'artifact') ?? path.join(CASES, 'a.txt');
      const digest = `sha256:${createHash('sha256').update(readFileSync(artifact)).digest('hex')}`;
      for (const target of [artifact, digest]) {
        const { code, stdout, stderr } = await runStella([...argsOf(name), target]);
        expect(stdout).toBe('');
        expect(stderr).toEqual(name.endsWith('_fail') ? expect.stringMatching(/^error: .+\[ERR_PACK_/) : '');
        // 2: the key or the root must not be trusted to begin with.
        expect(name.endsWith('_fail') ? [2, 6] : [0]).toContain(code);
      }
    });

    it('takes no certificate where a key has to have signed', async () => {
      const key = fileOf('managed-key-happy-path', 'key.pub') ?? '';
      const bundle = path.join(CASES, 'happy-path-v0.3-new-mediaType', 'bundle.sigstore.json');
      const { code, stderr } = await runStella(['verify-bundle', '--bundle', bundle, '--key', key, path.join(CASES, 'a.txt')]);
      expect([code, stderr]).toEqual([6, expect.stringContaining('a certificate signed, where a key was asked for')]);
    });

    it('says why it refuses', async () => {
      const { code, stderr } = await runStella([...argsOf('rekor2-no-timestamp_fail'), path.join(CASES, 'a.txt')]);
      expect([code, stderr]).toEqual([6, expect.stringContaining('timestamp-missing: ')]);
    });
  },
);

describe('stella verify-bundle with a key', () => {
  let folder: string;

  beforeAll(() => {
    folder = mkdtempSync(path.join(tmpdir(), 'stella-verify-bundle-'));
    const { privateKey, publicKey } = generateKeyPairSync('ed25519');
    write('a.txt', 'the bytes');
    write('key.pub', publicKey.export({ type: 'spki', format: 'pem' }));
    write('a.sig', sign(null, Buffer.from('the bytes'), privateKey));
  });

  afterAll(() => rmSync(folder, { recursive: true, force: true }));

  function write(name: string, content: string | Buffer): void {
    writeFileSync(path.join(folder, name), content);
  }

  function verify(...args: readonly string[]): Promise<Run> {
    return runStella(['verify-bundle', '--bundle', path.join(folder, 'a.sig'), ...args]);
  }

  const inFolder = (name: string): string => path.join(folder, name);

  it('takes a raw signature of a file', async () => {
    expect(await verify('--key', inFolder('key.pub'), inFolder('a.txt'))).toEqual({ code: 0, stdout: '', stderr: '' });
    expect(await verify('--key', inFolder('key.pub'), inFolder('key.pub'))).toMatchObject({ code: 6 });
  });

  it('says that Ed25519 needs more than a digest', async () => {
    const answer = await verify('--key', inFolder('key.pub'), `sha256:${'ab'.repeat(32)}`);
    expect(answer).toMatchObject({ code: 6, stderr: expect.stringContaining('subject-bytes-needed') });
  });

  it.each([
    ['neither key nor identity', []],
    ['both', ['--key', 'key.pub', '--certificate-identity', 'me', '--certificate-oidc-issuer', 'https://issuer.test']],
    ['an identity without its issuer', ['--certificate-identity', 'me']],
  ])('refuses a command line with %s', async (_, args) => {
    expect(await verify(...args, inFolder('a.txt'))).toMatchObject({ code: 2, stdout: '' });
  });
});
