import { cp, mkdtemp, readFile, readdir, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { PACK_TYPES } from '@packs/domain';
import { runStella } from '../../testing/run-cli';

const SAMPLES = path.join(__dirname, '../../../samples/packs');

let dir: string;
const at = (name: string): string => path.join(dir, name);
beforeEach(async () => {
  dir = await mkdtemp(path.join(tmpdir(), 'stella-pack-'));
});
afterEach(() => rm(dir, { recursive: true, force: true }));

async function json(args: readonly string[]): Promise<Record<string, unknown>> {
  const run = await runStella([...args, '--output', 'json']);
  expect(run.stderr).toBe('');
  expect(run.code).toBe(0);
  return JSON.parse(run.stdout) as Record<string, unknown>;
}

describe('stella pack, on this machine', () => {
  it.each(PACK_TYPES)('starts a %s pack that validates as it is', async type => {
    expect((await runStella(['pack', 'init', at('my-pack'), '--type', type])).code).toBe(0);
    expect(await json(['pack', 'validate', at('my-pack')])).toMatchObject({ valid: true, packId: 'my-pack' });
    expect((await runStella(['pack', 'init', at('my-pack'), '--type', type])).code).toBe(7);
  });

  it.each(['sbom-remediation', 'policy-baseline', 'license-analyzer', 'secure-delivery'])('builds the sample %s', async sample => {
    const built = await json(['pack', 'build', path.join(SAMPLES, sample), '-o', at('out.tgz')]);
    expect(built).toMatchObject({ packId: sample, digest: expect.stringMatching(/^sha256:/) });
    expect(await json(['pack', 'validate', at('out.tgz')])).toMatchObject({ valid: true, packId: sample });
  });

  it('builds the config of an OCI push beside the bundle, and not into it', async () => {
    await cp(path.join(SAMPLES, 'secure-delivery'), at('pack'), { recursive: true });
    const { digest } = await json(['pack', 'build', at('pack'), '-o', at('out.tgz')]);
    const built = await json(['pack', 'build', at('pack'), '-o', at('pack/out.tgz'), '--config', at('pack/config.json')]);
    expect(built).toMatchObject({ digest, config: at('pack/config.json') });
    expect(await json(['pack', 'build', at('pack'), '-o', at('pack/out.tgz'), '--config', at('pack/config.json')])).toMatchObject({
      digest,
    });
    const config = await readFile(at('pack/config.json'), 'utf8');
    expect(config).toMatch(/^\{"apiVersion":"stellaops\.io\/pack\.v1",/);
    expect(JSON.parse(config)).toMatchObject({ metadata: { packId: 'secure-delivery' } });
  });

  it('builds, signs and verifies; a changed byte, another key or no signature fails', async () => {
    await cp(path.join(SAMPLES, 'secure-delivery'), at('pack'), { recursive: true });
    const bundle = at('pack/out.tgz');
    const { digest } = await json(['pack', 'build', at('pack'), '-o', bundle]);
    const key = await json(['key', 'generate', '--out', dir, '--name', 'release']);
    await json(['key', 'generate', '--out', dir, '--name', 'other']);
    expect((await stat(at('release.key.pem'))).mode & 0o777).toBe(0o600);
    const verify = ['pack', 'verify', bundle, '--key', at('release.pub.pem')];
    expect((await runStella(verify)).stderr).toContain('[ERR_PACK_SIGNATURE_MISSING]');
    await json(['pack', 'sign', bundle, '--key', at('release.key.pem')]);
    expect(await json(verify)).toMatchObject({ verified: true, digest, signedBy: { name: 'release', keyId: key['keyId'] } });
    expect(await json([...verify, '--key', at('other.pub.pem')])).toMatchObject({ signedBy: { name: 'release' } });
    expect((await runStella(['pack', 'verify', bundle, '--key', at('other.pub.pem')])).code).toBe(6);

    const again = await json(['pack', 'build', at('pack'), '-o', bundle]);
    expect(again['digest']).toBe(digest);

    const bytes = await readFile(bundle);
    bytes[9] = 3;
    await writeFile(bundle, bytes);
    const run = await runStella(verify);
    expect(run).toMatchObject({ code: 6, stdout: '' });
    expect(run.stderr).toContain('[ERR_PACK_SIGNATURE_INVALID]');
  });

  it('never writes a key over another', async () => {
    await json(['key', 'generate', '--out', dir]);
    const before = await readFile(at('pack-signing.key.pem'));
    expect((await runStella(['key', 'generate', '--out', dir])).code).toBe(7);
    expect(await readFile(at('pack-signing.key.pem'))).toEqual(before);
    await rm(at('pack-signing.key.pem'));
    expect((await runStella(['key', 'generate', '--out', dir])).code).toBe(7);
    expect(await readdir(dir)).toEqual(['pack-signing.pub.pem']);
  });

  it('says where a manifest is wrong', async () => {
    await writeFile(
      at('pack.yaml'),
      'apiVersion: stellaops.io/pack.v1\nkind: TaskPack\nmetadata: { packId: a, name: A, version: "1" }\nspec: { steps: [] }\n',
    );
    const run = await runStella(['pack', 'validate', dir]);
    expect(run).toMatchObject({ code: 6, stdout: '' });
    expect(run.stderr.split('\n').slice(1)).toEqual([
      '  /metadata/version: must be a SemVer 2.0.0 version such as 1.4.0',
      '  /spec/steps: must NOT have fewer than 1 items',
      '',
    ]);
  });

  it('documents its exit codes and refuses what it does not know', async () => {
    expect(await json(['help', 'exit-codes'])).toContainEqual({ code: 6, reason: 'verification', meaning: expect.any(String) });
    expect((await runStella(['help', 'pack', 'push'])).stdout).toContain('--insecure-publish');
    expect((await runStella(['help', 'pack', 'eat'])).code).toBe(2);
    expect((await runStella(['pack', 'eat'])).code).toBe(2);
    expect((await runStella(['pack', 'list', '--output', 'xml'])).code).toBe(2);
    expect((await runStella(['pack', 'validate', at('nothing')])).code).toBe(5);
  });
});
