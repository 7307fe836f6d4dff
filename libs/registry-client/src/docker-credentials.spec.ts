import { chmod, mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import { dockerCredentials } from './docker-credentials';

const HOST = 'packs.test:5000';
const base64 = (text: string): string => Buffer.from(text).toString('base64');

describe('dockerCredentials', () => {
  let folder: string;
  let env: Record<string, string>;
  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'docker-config-'));
    env = { DOCKER_CONFIG: folder, PATH: `${folder}${delimiter}${process.env['PATH'] ?? ''}` };
  });
  afterEach(() => rm(folder, { recursive: true, force: true }));

  const configure = (config: unknown): Promise<void> =>
    writeFile(join(folder, 'config.json'), typeof config === 'string' ? config : JSON.stringify(config));
  /** A helper that keeps what it was asked and answers as the script says. */
  async function helper(name: string, script: string): Promise<void> {
    const file = join(folder, `docker-credential-${name}`);
    await writeFile(file, `#!/bin/sh\nread host\n[ "$1" = get ] || exit 3\n${script}\n`);
    await chmod(file, 0o755);
  }
  const answer = (username: string, secret: string): string =>
    `printf '{"ServerURL":"%s","Username":"${username}","Secret":"${secret}"}' "$host"`;
  const found = (host = HOST) => dockerCredentials(host, env);
  const refusal = (message: RegExp) => ({ code: 'ERR_PACK_AUTHENTICATION', message: expect.stringMatching(message) as string });

  it('has none without a file, and none for a registry that nobody logged in to', async () => {
    expect(await found()).toBeUndefined();
    await configure({});
    expect(await found()).toBeUndefined();
    await configure({ auths: { 'other.test': { auth: base64('me:secret') }, [`${HOST}/acme/tool`]: { auth: base64('me:secret') } } });
    expect(await found()).toBeUndefined();
    expect(await found('constructor')).toBeUndefined();
  });

  it.each([HOST, `https://${HOST}`, `http://${HOST}/`, `https://${HOST}/v1/`, `https://${HOST}/v2`])('finds those under %s', async key => {
    await configure({ auths: { [key]: { auth: base64('me:with:colons') } } });
    expect(await found()).toEqual({ username: 'me', password: 'with:colons' });
  });

  it('lies under HOME when no folder is named', async () => {
    await mkdir(join(folder, '.docker'));
    await writeFile(join(folder, '.docker', 'config.json'), JSON.stringify({ auths: { [HOST]: { auth: base64('me:secret') } } }));
    expect(await dockerCredentials(HOST, { HOME: folder })).toEqual({ username: 'me', password: 'secret' });
    expect(await dockerCredentials(HOST, { HOME: folder, DOCKER_CONFIG: folder })).toBeUndefined();
  });

  it('reads a name and a password in clear, and an identity token', async () => {
    await configure({
      auths: { [HOST]: { username: 'me', password: 'secret' }, 'other.test': { auth: base64('<token>:'), identitytoken: 'idt' } },
    });
    expect(await found()).toEqual({ username: 'me', password: 'secret' });
    expect(await found('other.test')).toEqual({ username: '<token>', password: 'idt' });
  });

  it.each([
    ['text that is no JSON', '{"auths": {"x": {"auth": "c2VjcmV0'],
    ['a list', '[]'],
    ['an auth without a colon', { auths: { [HOST]: { auth: base64('secret') } } }],
    ['an auth without a name', { auths: { [HOST]: { auth: base64(':secret') } } }],
  ])('complains about %s, and shows nothing of it', async (_, config) => {
    await configure(config);
    const error = await found().catch((thrown: unknown) => thrown as Error);
    expect(error).toMatchObject(refusal(/config\.json/));
    expect(JSON.stringify(error) + String((error as Error).cause)).not.toMatch(/c2Vj|secret/);
  });

  describe('with helpers', () => {
    it('asks the one for the registry before the common store, and the store before the file', async () => {
      await helper('one', answer('one', 's1'));
      await helper('store', answer('store', 's2'));
      const auths = { [HOST]: { auth: base64('file:s3') } };
      await configure({ credHelpers: { [HOST]: 'one' }, credsStore: 'store', auths });
      expect(await found()).toEqual({ username: 'one', password: 's1' });
      await configure({ credHelpers: { 'other.test': 'one' }, credsStore: 'store', auths });
      expect(await found()).toEqual({ username: 'store', password: 's2' });
    });

    it('tells it the registry on its stdin', async () => {
      await helper('echo', `printf '{"Username":"%s","Secret":"x"}' "$host"`);
      await configure({ credsStore: 'echo' });
      expect(await found()).toEqual({ username: HOST, password: 'x' });
    });

    it('takes what lies in the file where the store has none', async () => {
      await helper('empty', 'echo "credentials not found in native keychain"; exit 1');
      await configure({ credsStore: 'empty', auths: { [HOST]: { auth: base64('file:s3') } } });
      expect(await found()).toEqual({ username: 'file', password: 's3' });
      await configure({ credHelpers: { [HOST]: 'empty' }, auths: { [HOST]: { auth: base64('file:s3') } } });
      expect(await found()).toBeUndefined();
    });

    it.each<[string, string, RegExp]>([
      ['fails', 'echo s3cret; exit 2', /exit 2/],
      ['answers no JSON', 'echo s3cret', /JSON/],
      ['answers without a secret', `echo '{"Username":"s3cret"}'`, /Username and Secret/],
      [
        'never stops talking',
        'while :; do echo s3crets3crets3crets3crets3crets3crets3crets3crets3cret; done',
        /answered more than 65536 bytes/,
      ],
    ])('complains about one that %s, and shows nothing of it', async (_, script, message) => {
      await helper('bad', script);
      await configure({ credsStore: 'bad' });
      const error = await found().catch((thrown: unknown) => thrown as Error);
      expect(error).toMatchObject(refusal(message));
      expect(String(error)).not.toContain('s3cret');
    });

    it.each(['../evil', 'a/b', '', 'a b', '-rf', 'a'.repeat(65), 7])('runs nothing that is named %j', async name => {
      await configure({ credHelpers: { [HOST]: name } });
      await expect(found()).rejects.toMatchObject(refusal(/no name/));
    });

    it('complains about one that is not there', async () => {
      await configure({ credsStore: 'absent' });
      await expect(found()).rejects.toMatchObject(refusal(/docker-credential-absent cannot be run \(ENOENT\)/));
    });
  });
});
