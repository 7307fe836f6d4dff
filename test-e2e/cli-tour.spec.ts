import { existsSync, mkdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { PassThrough } from 'node:stream';
import type { AuditEntryView, PackView, PublishAnswer, VersionView } from '@packs/contracts';
import { eventually } from '@packs/testing';
import { stellaProgram } from '../tools/cli/stella/program';
import { CommandLine } from './command-line';
import { digestOf } from './pack-bundle';
import { Registry } from './registry';

const TYPES = ['task', 'policy', 'analyzer', 'bundle'] as const;
let registry: Registry;
/** Who runs the tenant, and who publishes in it. */
let admin: CommandLine;
let user: CommandLine;

beforeAll(async () => {
  registry = await Registry.shared();
  admin = new CommandLine();
  user = new CommandLine();
});

afterAll(() => {
  for (const { folder } of [admin, user]) rmSync(folder, { recursive: true, force: true });
});

function login(who: CommandLine, clientId: string, ...more: readonly string[]) {
  return who.stella(
    'login',
    '--url',
    registry.gatewayUrl,
    '--client-id',
    clientId,
    '--client-secret-file',
    registry.secretFile(clientId),
    ...more,
  );
}

const path = (name: string) => join(user.folder, name);
const bundleOf = (type: string) => path(`my-${type}-0.1.0.tgz`);

describe('before the login', () => {
  it('says how to log in, with the exit code for it', async () => {
    const { code, stderr } = await user.stella('pack', 'list');
    expect([code, stderr]).toEqual([3, expect.stringContaining('stella login')]);
  });

  it('refuses a wrong secret and an unknown client, and keeps nothing', async () => {
    const wrong = path('wrong.secret');
    writeFileSync(wrong, 'guessed\n');
    const { code } = await user.stella(
      'login',
      '--url',
      registry.gatewayUrl,
      '--client-id',
      'globex-publisher',
      '--client-secret-file',
      wrong,
    );
    expect(code).toBe(3);
    expect(existsSync(user.config)).toBe(false);
  });

  it('tells a registry that is not there from a refusal', async () => {
    const { code, stderr } = await user.stella(
      'login',
      '--url',
      'http://127.0.0.1:9',
      '--client-id',
      'x',
      '--client-secret-file',
      path('wrong.secret'),
    );
    expect([code, stderr]).toEqual([8, expect.stringContaining('cannot be reached')]);
  });
});

describe('a new user with only the command line', () => {
  it('logs in, and is who the Authority says', async () => {
    for (const [who, clientId] of [
      [admin, 'globex-admin'],
      [user, 'globex-publisher'],
    ] as const) {
      const { code, stdout } = await login(who, clientId);
      expect([code, stdout]).toEqual([0, '']);
    }
    // It holds a token.
    expect(statSync(user.config).mode & 0o077).toBe(0);
    expect(await user.json('whoami')).toMatchObject({
      registry: registry.gatewayUrl,
      clientId: 'globex-publisher',
      tenant: 'globex',
      scopes: ['packs.read', 'packs.write'],
    });
  });

  it('makes a key, whose private half only its owner can read', async () => {
    const made = await user.json<{ privateKey: string; publicKey: string; keyId: string }>('key', 'generate', '--name', 'mine');
    expect(statSync(path(made.privateKey)).mode & 0o077).toBe(0);
    expect(readFileSync(path(made.publicKey), 'utf8')).toContain('BEGIN PUBLIC KEY');
    expect(made.keyId).toMatch(/^sha256:/);
    const { code } = await user.stella('key', 'generate', '--name', 'mine');
    expect(code).toBe(7);
  });

  it('starts a pack of each type, which validates as it is', async () => {
    for (const type of TYPES) {
      expect((await user.stella('pack', 'init', `my-${type}`, '--type', type)).code).toBe(0);
      expect(await user.json('pack', 'validate', `my-${type}`)).toMatchObject({ valid: true, packId: `my-${type}`, version: '0.1.0' });
    }
    expect((await user.stella('pack', 'init', 'my-task')).code).toBe(7);
  });

  it('builds each, the same bytes each time, and signs it', async () => {
    for (const type of TYPES) {
      const built = await user.json<{ digest: string }>('pack', 'build', `my-${type}`);
      expect(built.digest).toBe(digestOf(readFileSync(bundleOf(type))));
      expect((await user.stella('pack', 'sign', bundleOf(type), '--key', 'mine.key.pem')).code).toBe(0);
    }
    const again = await user.json<{ digest: string }>('pack', 'build', 'my-task', '--out', 'again.tgz');
    expect(again.digest).toBe(digestOf(readFileSync(bundleOf('task'))));
  });

  it('is refused until the tenant trusts the key, and may not change that', async () => {
    const refused = await user.stella('pack', 'push', bundleOf('task'));
    expect([refused.code, refused.stderr]).toEqual([4, expect.stringContaining('ERR_PACK_POLICY_MISSING')]);
    const trust = ['trust', 'add', '--name', 'mine', '--key', path('mine.pub.pem')];
    const forbidden = await user.stella(...trust);
    expect([forbidden.code, forbidden.stderr]).toEqual([4, expect.stringContaining('ERR_PACK_SCOPE')]);
    expect((await admin.stella(...trust)).code).toBe(0);
    expect((await admin.stella('policy', 'set', 'default', '--key', 'mine', '--unsigned', 'reject')).code).toBe(0);
    expect(await admin.json('policy', 'list')).toMatchObject({
      policies: [{ name: 'default', rule: { keyRef: 'mine' }, unsigned: 'reject' }],
    });
  });

  it('publishes them; the same bundle again is no other publish', async () => {
    for (const type of ['task', 'policy', 'analyzer'] as const) {
      const answer = await user.json<PublishAnswer>('pack', 'push', bundleOf(type));
      expect(answer).toMatchObject({
        packId: `my-${type}`,
        tenant: 'globex',
        state: 'published',
        digest: digestOf(readFileSync(bundleOf(type))),
      });
    }
    expect((await user.stella('pack', 'push', bundleOf('task'))).code).toBe(0);
  });

  it('publishes a bundle once its members are there', async () => {
    const refused = await user.stella('pack', 'push', bundleOf('bundle'));
    expect([refused.code, refused.stderr]).toEqual([4, expect.stringContaining('/spec/members/0')]);
    const manifest = path('my-bundle/pack.yaml');
    writeFileSync(manifest, readFileSync(manifest, 'utf8').replace('example-member', 'my-task').replace('^1.0.0', '^0.1.0'));
    for (const step of [
      ['build', 'my-bundle'],
      ['sign', bundleOf('bundle'), '--key', 'mine.key.pem'],
      ['push', bundleOf('bundle'), '--channel', 'beta'],
    ]) {
      expect([step[0], (await user.stella('pack', ...step)).code]).toEqual([step[0], 0]);
    }
  });

  it('finds them', async () => {
    const { packs } = await user.json<{ packs: PackView[] }>('pack', 'list');
    expect(packs.map(({ packId, type }) => [packId, type])).toEqual(
      ['analyzer', 'bundle', 'policy', 'task'].map(type => [`my-${type}`, type]),
    );
    const { stdout } = await user.stella('pack', 'list', '--channel', 'beta');
    expect(stdout.split('\n')).toEqual([
      expect.stringMatching(/^PACK +VERSION +TYPE/),
      expect.stringMatching(/^my-bundle +0\.1\.0 +bundle +beta=0\.1\.0/),
      '',
    ]);
    const shown = await user.json<VersionView>('pack', 'show', 'my-task@0.1.0');
    expect(shown).toMatchObject({ packId: 'my-task', publishedBy: 'client:globex-publisher', signatures: [{ keyName: 'mine' }] });
    expect(await user.json('pack', 'show', 'my-task')).toMatchObject({ pack: { packId: 'my-task' }, versions: [{ version: '0.1.0' }] });
  });

  it('fetches one and checks it, in the registry and on disk', async () => {
    const pulled = await user.json<{ digest: string }>('pack', 'pull', 'my-task@0.1.0', '--out', 'pulled.tgz', '--key', 'mine.pub.pem');
    expect(readFileSync(path('pulled.tgz')).equals(readFileSync(bundleOf('task')))).toBe(true);
    expect(pulled.digest).toBe(digestOf(readFileSync(bundleOf('task'))));
    for (const target of ['pulled.tgz', 'my-task@0.1.0']) {
      expect(await user.json('pack', 'verify', target, '--key', 'mine.pub.pem')).toMatchObject({
        verified: true,
        signedBy: { scheme: 'ecdsa-p256-sha256' },
      });
    }
  });

  it('deprecates one, and sees in its events and in the audit log what happened', async () => {
    const view = await user.json<VersionView>('pack', 'deprecate', 'my-policy@0.1.0', '--reason', 'too strict', '--replacement', 'my-task');
    expect(view.deprecation).toMatchObject({ by: 'client:globex-publisher', reason: 'too strict', replacement: 'my-task' });
    const { packs } = await user.json<{ packs: PackView[] }>('pack', 'list', '--deprecated');
    expect(packs.map(({ packId }) => packId)).toEqual(['my-policy']);
    await eventually(async () => {
      const { entries } = await user.json<{ entries: AuditEntryView[] }>('pack', 'events', 'my-policy');
      expect(entries.map(({ type }) => type)).toEqual(['pack.version.published', 'pack.version.deprecated']);
      expect(entries.at(-1)?.source).toMatch(/^stella\//);
    });
    const { stdout } = await user.stella('audit', '--type', 'pack.version.published', '--limit', '2');
    expect(stdout.trim().split('\n')).toHaveLength(3);
  });
});

describe('exit codes for what goes wrong', () => {
  it('2: a command line that is none', async () => {
    for (const args of [
      ['pack', 'push'],
      ['pack', 'frobnicate'],
      ['pack', 'show', 'Not A Name'],
      ['pack', 'list', '--limit', 'many'],
      ['pack', 'list', '--output', 'xml'],
    ]) {
      expect([args, (await user.stella(...args)).code]).toEqual([args, 2]);
    }
  });

  it('5: no such pack, version or file', async () => {
    for (const args of [
      ['pack', 'show', 'nothing'],
      ['pack', 'pull', 'my-task@9.9.9'],
      ['pack', 'push', 'nothing.tgz'],
      ['pack', 'deprecate', 'nothing@1.0.0'],
    ]) {
      expect([args, (await user.stella(...args)).code]).toEqual([args, 5]);
    }
    expect(existsSync(path('my-task-9.9.9.tgz'))).toBe(false);
  });

  it('6: bytes, a signature or a manifest that are not what they should be', async () => {
    const tampered = readFileSync(bundleOf('task'));
    tampered.writeUInt8(tampered.readUInt8(4) ^ 1, 4);
    writeFileSync(path('tampered.tgz'), tampered);
    writeFileSync(path('tampered.tgz.sigstore.json'), readFileSync(`${bundleOf('task')}.sigstore.json`));
    expect((await user.stella('pack', 'verify', 'tampered.tgz', '--key', 'mine.pub.pem')).code).toBe(6);
    await user.stella('key', 'generate', '--name', 'other');
    expect((await user.stella('pack', 'verify', bundleOf('task'), '--key', 'other.pub.pem')).code).toBe(6);
    const pull = await user.stella('pack', 'pull', 'my-task@0.1.0', '--out', 'unwanted.tgz', '--key', 'other.pub.pem');
    expect([pull.code, existsSync(path('unwanted.tgz'))]).toEqual([6, false]);
    mkdirSync(path('broken'));
    writeFileSync(path('broken/pack.yaml'), 'kind: VirusPack\n');
    const { code, stderr } = await user.stella('pack', 'validate', 'broken');
    expect([code, stderr]).toEqual([6, expect.stringContaining('/kind')]);
  });

  it('4: a pack that is not signed is not even sent; sent with --insecure-publish, the registry refuses it', async () => {
    await user.stella('pack', 'init', 'unsigned');
    await user.stella('pack', 'build', 'unsigned', '--out', 'unsigned.tgz');
    const publishes = () => registry.metric('publisher', 'registry_pack_publish_total');
    const before = await publishes();
    const local = await user.stella('pack', 'push', 'unsigned.tgz');
    expect([local.code, local.stderr]).toEqual([4, expect.stringContaining('--insecure-publish')]);
    expect(await publishes()).toBe(before);
    const sent = await user.stella('pack', 'push', 'unsigned.tgz', '--insecure-publish');
    expect([sent.code, sent.stderr]).toEqual([4, expect.stringContaining('ERR_PACK_SIGNATURE_MISSING')]);
    expect(await publishes()).toBe(before + 1);
    expect((await user.stella('pack', 'show', 'unsigned')).code).toBe(5);
  });

  it('7: a version that is there with other bytes', async () => {
    writeFileSync(path('my-task/README.md'), '# changed\n');
    await user.stella('pack', 'build', 'my-task', '--out', 'changed.tgz');
    await user.stella('pack', 'sign', 'changed.tgz', '--key', 'mine.key.pem');
    const { code, stderr } = await user.stella('pack', 'push', 'changed.tgz');
    expect([code, stderr]).toEqual([7, expect.stringContaining('ERR_PACK_VERSION_EXISTS')]);
  });

  it('8: a registry that cannot be reached', async () => {
    const lost = new CommandLine({ STELLA_REGISTRY_URL: 'http://127.0.0.1:9', STELLA_TOKEN: 'x' });
    expect((await lost.stella('pack', 'list')).code).toBe(8);
    rmSync(lost.folder, { recursive: true });
  });

  it('3: a token the registry does not accept', async () => {
    const stranger = new CommandLine({ STELLA_REGISTRY_URL: registry.gatewayUrl, STELLA_TOKEN: 'garbage' });
    expect((await stranger.stella('pack', 'list')).code).toBe(3);
    expect((await stranger.registry('dead-letters', 'list')).code).toBe(3);
    rmSync(stranger.folder, { recursive: true });
  });
});

/** Each command that prints, with arguments it succeeds with at this point of the tour. */
const PRINTING: Readonly<Record<string, readonly string[]>> = {
  whoami: [],
  'key generate': ['--name', 'for-json'],
  'pack validate': ['my-task'],
  'pack build': ['my-policy', '--out', 'for-json.tgz'],
  'pack sign': ['for-json.tgz', '--key', 'mine.key.pem'],
  'pack push': ['for-json.tgz'],
  'pack list': [],
  'pack show': ['my-task'],
  'pack pull': ['my-task@0.1.0', '--out', 'for-json-pulled.tgz'],
  'pack verify': ['my-task@0.1.0', '--key', 'mine.pub.pem'],
  'pack promote': ['my-task@0.1.0', '--channel', 'beta'],
  'pack deprecate': ['my-analyzer@0.1.0'],
  'pack archive': ['my-analyzer@0.1.0'],
  'pack attestations': ['my-task@0.1.0'],
  'pack provenance': ['my-task@0.1.0'],
  'pack evidence': ['my-task@0.1.0', '--out', 'for-json.evidence.tar'],
  'pack events': ['my-task'],
  'trust show': [],
  'trust add': ['--name', 'for-json', '--key', 'for-json.pub.pem'],
  'trust remove': ['--name', 'for-json'],
  'trust set-roots': [],
  'trust revoke': ['--digest', `sha256:${'0'.repeat(64)}`, '--reason', 'for-json'],
  'trust unrevoke': ['--digest', `sha256:${'0'.repeat(64)}`],
  'policy list': [],
  'policy show': ['default'],
  'policy set': ['for-json', '--key', 'mine', '--channel', 'for-json'],
  'policy history': ['for-json'],
  'scanning set': ['--malware', 'on'],
  'scanning show': [],
  'channel set': ['for-json'],
  'channel list': [],
  'compliance summary': [],
  'exporter add': ['--name', 'for-json', '--key', 'for-json.pub.pem'],
  'exporter show': [],
  'exporter remove': ['--name', 'for-json'],
  'mirror add': ['--name', 'for-json', '--location', 'for-json'],
  'mirror list': [],
  'mirror sync': ['for-json'],
  'mirror status': ['for-json'],
  'parity check': ['for-json'],
  'parity show': [],
  'mirror remove': ['for-json'],
  'registry dead-letters list': [],
  'registry sealed show': [],
  'registry trust show': [],
  audit: [],
  help: ['exit-codes'],
};
/** What needs more than one command before it, with the story that asks it for JSON or for its table. */
const IN_A_STORY_OF_ITS_OWN: Readonly<Record<string, string>> = {
  'pack attest': 'attestations',
  'pack contest': 'evidence',
  'pack mirror export': 'offline-kit',
  'pack mirror import': 'offline-kit',
  'pack mirror verify': 'offline-kit',
  'pack rotate-signature': 'rotation',
  'pack signatures': 'rotation',
  'policy what-if': 'verdict-replay',
  'registry dead-letters replay': 'dead-letters',
  'registry policy replay': 'verdict-replay',
  'registry replay-events': 'attestations',
  'registry scrub': 'rot',
  'registry sealed approve': 'sealed',
  'registry sealed seal': 'sealed',
  'registry sealed unseal': 'sealed',
  reverify: 'rotation',
  'scanning report': 'scanning',
  'registry trust rotate': 'trust-bundles',
  'registry trust sign': 'trust-bundles',
  'registry trust validate': 'trust-bundles',
};
const ADMINISTRATIVE =
  /^(key generate|trust (add|remove|set-roots|revoke|unrevoke)|policy set|scanning set|exporter|mirror|parity|registry)/;

type Command = ReturnType<typeof stellaProgram>;

function commandsOf(command: Command, path: readonly string[] = []): readonly (readonly [name: string, command: Command])[] {
  if (command.commands.length === 0) return [[path.join(' '), command]];
  return command.commands.flatMap(child => commandsOf(child, [...path, child.name()]));
}

describe('every command', () => {
  const out = new PassThrough();
  const commands = commandsOf(stellaProgram({ stdout: out, stderr: out, stdin: out, env: {}, now: Date.now }));

  it('that prints, prints JSON when asked to, and nothing beside it', async () => {
    const printing = commands.filter(([, { options }]) => options.some(({ long }) => long === '--output')).map(([name]) => name);
    expect(printing.toSorted()).toEqual([...Object.keys(PRINTING), ...Object.keys(IN_A_STORY_OF_ITS_OWN)].toSorted());
    for (const [name, story] of Object.entries(IN_A_STORY_OF_ITS_OWN)) {
      const text = readFileSync(join(__dirname, `${story}.spec.ts`), 'utf8');
      expect([name, text.includes(`'${name.split(' ').at(-1)}'`)]).toEqual([name, true]);
    }
    for (const [name, args] of Object.entries(PRINTING)) {
      const { code, stdout, stderr } = await (ADMINISTRATIVE.test(name) ? admin : user).stella(
        ...name.split(' '),
        ...args,
        '--output',
        'json',
      );
      expect([name, code, stderr]).toEqual([name, 0, '']);
      expect([name, typeof JSON.parse(stdout)]).toEqual([name, 'object']);
    }
  });

  it('takes secrets from files or stdin only: arguments are for everybody on the machine to read', () => {
    // What is chosen from a list that help prints is no secret.
    const secretive = commands.flatMap(([name, { options }]) =>
      options
        .filter(({ long, argChoices }) => !argChoices && /secret|token|password/.test(long ?? ''))
        .map(option => `${name} ${option.flags}`),
    );
    expect(secretive.toSorted()).toEqual(['login --client-secret-file <file>', 'login --client-secret-stdin', 'login --print-token']);
  });
});

it('the administrator lists dead letters; a publisher may not', async () => {
  const { code, stdout } = await admin.registry('dead-letters', 'list', '--output', 'json');
  expect([code, JSON.parse(stdout)]).toEqual([0, { deadLetters: [] }]);
  expect((await user.registry('dead-letters', 'list')).code).toBe(4);
});

it('no command ever wrote a secret, unless asked for the token', async () => {
  const { stdout } = await user.unrecorded(
    ...[
      'login',
      '--url',
      registry.gatewayUrl,
      '--client-id',
      'globex-publisher',
      '--client-secret-file',
      registry.secretFile('globex-publisher'),
    ],
    '--print-token',
  );
  const token = stdout.trim();
  expect(token.split('.')).toHaveLength(3);
  const secrets = [
    token.split('.')[2] ?? '',
    (JSON.parse(readFileSync(user.config, 'utf8')) as { token: string }).token,
    ...['globex-publisher', 'globex-admin'].map(clientId => readFileSync(registry.secretFile(clientId), 'utf8').trim()),
    readFileSync(path('mine.key.pem'), 'utf8').split('\n')[1] ?? '',
  ];
  const all = [...user.written, ...admin.written].join('\n');
  expect(all.length).toBeGreaterThan(5000);
  expect(secrets.filter(secret => secret.length < 20 || all.includes(secret))).toEqual([]);
  // No token of any kind: each begins with the base64 of `{"`.
  expect(all).not.toMatch(/eyJ[\w-]{20,}\./);
});

it('logs out, and is a stranger again', async () => {
  expect((await user.stella('logout')).code).toBe(0);
  expect(existsSync(user.config)).toBe(false);
  expect((await user.stella('pack', 'list')).code).toBe(3);
});
