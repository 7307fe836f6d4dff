import type { ChannelList, ChannelView, PackChannels, PackList, Problem, PromoteAnswer, VersionList, VersionView } from '@packs/contracts';
import { eventually } from '@packs/testing';
import { runStella } from '../tools/cli/testing/run-cli';
import type { Answer, Caller } from './caller';
import { aBundle, aManifest } from './pack-bundle';
import { Registry } from './registry';
import { SigningKey } from './signing-key';

const release = new SigningKey('release');
const board = new SigningKey('board', 'ed25519');
let registry: Registry;
let publisher: Caller;

beforeAll(async () => {
  registry = await Registry.shared();
  publisher = await registry.caller();
  await publisher.trust(release, board);
  await publisher.policy({ keyRef: 'release' });
  await publisher.policy({ keyRef: 'board' }, { channel: 'stable' }, 'stable');
});

async function publish(packId: string, version: string, keys = [release, board], channel = 'edge', metadata = {}): Promise<void> {
  const bundle = aBundle(aManifest(packId, version, { metadata }));
  const signatures = keys.map(key => key.sigstore(bundle.bytes));
  const { status, body } = await publisher.publish(bundle, { signatures, query: { channel } });
  expect([status, body.code]).toEqual([201, undefined]);
}

type Promotion = Answer<PromoteAnswer & Problem & { verdict: { hash: string; outcome: string; policy: unknown }; currentVersion?: string }>;

function promote(packId: string, version: string, channel = 'stable', from?: string, by = publisher): Promise<Promotion> {
  return by.send('POST', `/api/packs/${packId}/promote`, { json: { version, channel, from } });
}

function lifecycle(packId: string, version: string, json: object): Promise<Answer<VersionView & Problem>> {
  return publisher.send('POST', `/api/packs/${packId}/versions/${version}/lifecycle`, { json });
}

async function channelsOf(packId: string, query: Readonly<Record<string, string | number>> = {}): Promise<PackChannels> {
  const { status, body } = await publisher.get<PackChannels>(`/api/packs/${packId}/channels`, query);
  expect(status).toBe(200);
  return body;
}

const heads = ({ channels }: PackChannels) => Object.fromEntries(channels.map(({ channel, version }) => [channel, version]));
const told = ({ moves }: PackChannels) => moves.map(move => `${move.channel}: ${move.fromVersion} → ${move.toVersion} (${move.reason})`);

async function audited(packId: string, ...types: readonly string[]) {
  return eventually(async () => {
    const entries = await publisher.audit({ packId });
    expect(entries.map(entry => entry.type)).toEqual(types);
    return entries;
  });
}

describe('a promotion', () => {
  it('is refused by the policy of the channel with its verdict, and accepted for a version that policy accepts', async () => {
    const before = await registry.metric('publisher', 'registry_pack_channel_promotions_total', 'channel="stable"');
    await publish('soaked', '1.0.0', [release]);
    const refused = await promote('soaked', '1.0.0', 'stable', 'edge');
    expect([refused.status, refused.body.code]).toEqual([422, 'ERR_PACK_VERDICT_REJECTED']);
    expect(refused.body.verdict).toMatchObject({ outcome: 'rejected', policy: { name: 'stable', version: 1 } });
    expect(refused.body.errors).toContainEqual(expect.objectContaining({ code: 'ERR_PACK_SIGNATURE_UNTRUSTED' }));
    expect(heads(await channelsOf('soaked'))).toEqual({ edge: '1.0.0' });

    await publish('soaked', '1.1.0');
    const { status, body } = await promote('soaked', '1.1.0', 'stable', 'edge');
    const version = (await publisher.version('soaked', '1.1.0')).body;
    expect([status, body]).toEqual([
      200,
      {
        ...{ packId: 'soaked', version: '1.1.0', tenant: publisher.tenant, channel: 'stable', previousVersion: null, changed: true },
        ...{ digest: version.digest, manifestDigest: version.manifestDigest },
        verdict: expect.stringMatching(/^sha256:/) as string,
        promotedAt: expect.any(String) as string,
      },
    ]);
    expect(version.channels).toEqual(['edge', 'stable']);
    expect(body.verdict).not.toBe(version.verdict.hash);

    const entries = await audited(
      'soaked',
      ...['pack.version.published', 'pack.promotion.rejected', 'pack.version.published', 'pack.version.promoted'],
    );
    expect(entries[1]?.data).toMatchObject({ channel: 'stable', from: 'edge', verdictHash: refused.body.verdict.hash });
    expect(entries[3]).toMatchObject({
      version: '1.1.0',
      actor: `client:${publisher.tenant}-client`,
      signatures: version.signatures.map(({ digest }) => digest),
      data: {
        channel: 'stable',
        from: 'edge',
        previousVersion: null,
        verdictHash: body.verdict,
        promotedAt: body.promotedAt,
        digest: version.digest,
      },
    });
    const stored = await registry.sql<{ document: object }>(`select document from registry.verdicts where tenant = $1 and hash = $2`, [
      publisher.tenant,
      body.verdict,
    ]);
    expect(stored[0]?.document).toMatchObject({
      outcome: 'accepted',
      policy: { name: 'stable' },
      identities: [{ name: 'board' }, { name: 'release' }],
    });
    expect(await registry.metric('publisher', 'registry_pack_channel_promotions_total', 'channel="stable"')).toBe(before + 1);
  });

  it('repeated changes nothing', async () => {
    await publish('repeated', '1.0.0');
    const first = await promote('repeated', '1.0.0');
    const again = await promote('repeated', '1.0.0');
    expect([again.status, again.body]).toEqual([200, { ...first.body, previousVersion: '1.0.0', changed: false }]);
    expect(told(await channelsOf('repeated'))).toEqual(['stable: null → 1.0.0 (promotion)', 'edge: null → 1.0.0 (publish)']);
    await audited('repeated', 'pack.version.published', 'pack.version.promoted');
  });

  it('never moves a channel back, and goes from a channel only with what it points at', async () => {
    for (const version of ['1.9.0', '1.10.0']) await publish('forward', version);
    await promote('forward', '1.10.0');
    const back = await promote('forward', '1.9.0');
    expect([back.status, back.body.code, back.body.currentVersion]).toEqual([409, 'ERR_PACK_CONFLICT', '1.10.0']);
    expect(back.body.detail).toContain('1.10.0');
    const other = await promote('forward', '1.9.0', 'beta', 'edge');
    expect([other.status, other.body.code, other.body.currentVersion]).toEqual([409, 'ERR_PACK_CONFLICT', '1.10.0']);
    expect((await promote('forward', '1.9.0', 'beta')).status).toBe(200);
    expect(heads(await channelsOf('forward'))).toEqual({ beta: '1.9.0', edge: '1.10.0', stable: '1.10.0' });
  });

  it('of eight versions at a time ends at the highest, with a history without gaps', async () => {
    const versions = ['1.0.0', '1.1.0', '1.2.0', '1.9.0', '1.10.0', '1.11.0', '2.0.0-rc.1', '2.0.0'];
    for (const version of versions) await publish('raced', version);
    const answers = await Promise.all(versions.map(version => promote('raced', version)));
    const codes = answers.map(({ status, body }) => (status === 200 ? 'promoted' : body.code));
    expect(new Set(codes)).toEqual(new Set(codes.includes('ERR_PACK_CONFLICT') ? ['promoted', 'ERR_PACK_CONFLICT'] : ['promoted']));
    expect(codes.at(-1)).toBe('promoted');
    const found = await channelsOf('raced', { limit: 100 });
    expect(heads(found)).toEqual({ edge: '2.0.0', stable: '2.0.0' });
    const moves = found.moves.toReversed();
    expect(moves.map(({ seq }) => seq)).toEqual(moves.map((_, at) => at + 1));
    const stable = moves.filter(({ channel }) => channel === 'stable');
    expect(stable.map(move => move.fromVersion)).toEqual([null, ...stable.slice(0, -1).map(move => move.toVersion)]);
    expect(stable).toHaveLength(codes.filter(code => code === 'promoted').length);
    const order = stable.map(move => versions.indexOf(move.toVersion));
    expect(order).toEqual(order.toSorted((a, b) => a - b));
    const events = await eventually(async () => {
      const entries = await publisher.audit({ packId: 'raced', type: 'pack.version.promoted' });
      expect(entries).toHaveLength(stable.length);
      return entries;
    });
    expect(events.map(({ version }) => version)).toEqual(stable.map(move => move.toVersion));
  });

  it('needs an active version that is there, and a scope', async () => {
    await publish('ended', '1.0.0');
    await publish('ended', '1.1.0');
    await publisher.send('DELETE', '/api/packs/ended/versions/1.1.0');
    const refused = await promote('ended', '1.1.0');
    expect([refused.status, refused.body.code]).toEqual([409, 'ERR_PACK_LIFECYCLE']);
    expect((await promote('ended', '3.0.0')).status).toBe(404);
    expect((await promote('nowhere', '1.0.0')).status).toBe(404);
    expect((await promote('ended', 'latest')).body.code).toBe('ERR_PACK_VERSION_INVALID');
    const reader = await registry.caller(publisher.tenant, 'packs.read');
    expect((await promote('ended', '1.0.0', 'stable', undefined, reader)).body.code).toBe('ERR_PACK_SCOPE');
    const foreigner = await registry.caller();
    expect((await promote('ended', '1.0.0', 'stable', undefined, foreigner)).status).toBe(404);
    expect(heads(await channelsOf('ended'))).toEqual({ edge: '1.1.0' });
  });

  it('of a withdrawn version is refused', async () => {
    const tenant = await registry.caller();
    await tenant.trust(release, board);
    await tenant.policy({ keyRef: 'release' });
    await tenant.policy({ keyRef: 'board' }, { channel: 'stable' }, 'stable');
    const bundle = aBundle(aManifest('fallen'));
    await tenant.publish(bundle, { signatures: [release.sigstore(bundle.bytes), board.sigstore(bundle.bytes)] });
    await tenant.trust(board);
    const refused = await promote('fallen', '1.0.0', 'stable', undefined, tenant);
    expect([refused.status, refused.body.code]).toEqual([403, 'ERR_PACK_WITHDRAWN']);
    await tenant.trust(board, release);
    expect((await promote('fallen', '1.0.0', 'stable', undefined, tenant)).status).toBe(200);
  });
});

describe('channels', () => {
  it('are four for everybody, and those a tenant adds', async () => {
    const names = async (caller: Caller) => (await caller.get<ChannelList>('/api/channels')).body.channels.map(({ name }) => name);
    const unknown = await promote('nowhere', '1.0.0', 'nightly');
    expect([unknown.status, unknown.body.code, unknown.body.errors]).toEqual([
      422,
      'ERR_PACK_CHANNEL_UNKNOWN',
      [{ field: 'channel', message: expect.any(String) as string }],
    ]);
    const bundle = aBundle(aManifest('nocturnal'));
    const signatures = [release.sigstore(bundle.bytes)];
    const refused = await publisher.publish(bundle, { signatures, query: { channel: 'nightly' } });
    expect([refused.status, refused.body.code]).toEqual([422, 'ERR_PACK_CHANNEL_UNKNOWN']);
    expect((await publisher.version('nocturnal', '1.0.0')).status).toBe(404);

    const made = await publisher.put<ChannelView>('/api/channels/nightly', { description: 'Every night' });
    expect([made.status, made.body]).toMatchObject([200, { name: 'nightly', description: 'Every night', builtIn: false }]);
    expect((await publisher.put('/api/channels/nightly', { description: 'Every night' })).body).toEqual(made.body);
    expect(await names(publisher)).toEqual(['edge', 'beta', 'stable', 'lts', 'nightly']);
    expect(await names(await registry.caller())).toEqual(['edge', 'beta', 'stable', 'lts']);
    expect((await publisher.publish(bundle, { signatures, query: { channel: 'nightly' } })).status).toBe(201);
    const { packs } = (await publisher.get<PackList>('/api/packs', { channel: 'nightly' })).body;
    expect(packs.map(({ packId, channels }) => [packId, channels])).toEqual([['nocturnal', { nightly: '1.0.0' }]]);
    await eventually(async () => {
      const entries = await publisher.audit({ type: 'registry.channel.updated' });
      expect(entries.map(({ data }) => data)).toMatchObject([
        { channel: 'nightly', description: 'Every night', createdAt: made.body.createdAt },
      ]);
    });
  });

  it.each(['edge', 'stable', 'Not-A-Name'])('cannot be redefined or misnamed: %s', async name => {
    const { status, body } = await publisher.put(`/api/channels/${name}`, { description: 'mine' });
    expect([status, body['code']]).toEqual([400, 'ERR_PACK_REQUEST_INVALID']);
  });

  it('filter the list by what they point at after a promotion', async () => {
    await publish('listed', '1.0.0');
    const inLts = async () => (await publisher.get<PackList>('/api/packs', { channel: 'lts' })).body.packs.map(pack => pack.packId);
    expect(await inLts()).toEqual([]);
    await promote('listed', '1.0.0', 'lts');
    expect(await inLts()).toEqual(['listed']);
  });

  it('tell their history page by page, and only to their owner', async () => {
    await publisher.put('/api/visibility', { shareWith: ['*'] });
    for (const version of ['1.0.0', '1.1.0', '1.2.0']) {
      await publish('told', version, undefined, 'edge', { tenantVisibility: ['*'] });
      await promote('told', version);
    }
    const seen: number[] = [];
    for (let cursor: string | null = ''; cursor !== null;) {
      const part: PackChannels = await channelsOf('told', { limit: 2, channel: 'stable', ...(cursor && { cursor }) });
      seen.push(...part.moves.map(({ seq }) => seq));
      cursor = part.next;
    }
    expect(seen).toEqual([6, 4, 2]);
    const foreigner = await registry.caller();
    const { body } = await foreigner.get<PackChannels>('/api/packs/told/channels', { namespace: publisher.tenant });
    expect([heads(body), body.moves]).toEqual([{ edge: '1.2.0', stable: '1.2.0' }, []]);
    expect((await foreigner.get('/api/packs/told/channels')).status).toBe(404);
    expect((await publisher.get('/api/packs/told/channels', { cursor: '0' })).status).toBe(400);
  });
});

describe('a version’s life', () => {
  const versions = async (packId: string, query: Readonly<Record<string, string | boolean>> = {}) =>
    (await publisher.get<VersionList>(`/api/packs/${packId}/versions`, query)).body.versions.map(one => `${one.version} ${one.lifecycle}`);

  it('goes from active to deprecated to archived, each shown where it is asked for', async () => {
    for (const version of ['1.0.0', '1.1.0', '1.2.0', '1.3.0']) await publish('aging', version);
    const deprecated = await lifecycle('aging', '1.1.0', { state: 'deprecated', reason: 'slow', replacement: 'aging@1.3.0' });
    expect([deprecated.status, deprecated.body]).toMatchObject([200, { lifecycle: 'deprecated', deprecated: true, archival: null }]);
    await lifecycle('aging', '1.0.0', { state: 'deprecated', replacement: 'aging@1.2.0' });
    const archived = await lifecycle('aging', '1.0.0', { state: 'archived', reason: 'broken' });
    expect(archived.body).toMatchObject({
      ...{ lifecycle: 'archived', deprecated: true },
      deprecation: { reason: null, replacement: 'aging@1.2.0' },
      archival: { by: `client:${publisher.tenant}-client`, reason: 'broken' },
    });
    expect(await versions('aging')).toEqual(['1.3.0 active', '1.2.0 active']);
    expect(await versions('aging', { lifecycle: 'deprecated' })).toEqual(['1.1.0 deprecated']);
    expect(await versions('aging', { lifecycle: 'archived' })).toEqual(['1.0.0 archived']);
    expect(await versions('aging', { deprecated: true })).toEqual(['1.1.0 deprecated', '1.0.0 archived']);
    expect(await versions('aging', { lifecycle: 'all' })).toHaveLength(4);
    expect((await publisher.get('/api/packs/aging/versions', { lifecycle: 'gone' })).status).toBe(400);
    expect((await publisher.bundle('aging', '1.0.0')).status).toBe(200);
    const entries = await audited(
      'aging',
      ...Array<string>(4).fill('pack.version.published'),
      ...['pack.version.deprecated', 'pack.version.deprecated', 'pack.version.archived'],
    );
    expect(entries.at(-1)?.data).toMatchObject({ reason: 'broken', replacement: 'aging@1.2.0', archivedAt: archived.body.archival?.at });
  });

  it('never goes back, and a step taken twice is one', async () => {
    await publish('once', '1.0.0');
    const first = await lifecycle('once', '1.0.0', { state: 'archived', reason: 'first' });
    expect((await lifecycle('once', '1.0.0', { state: 'archived', reason: 'second' })).body).toEqual(first.body);
    const back = await lifecycle('once', '1.0.0', { state: 'deprecated' });
    expect([back.status, back.body.code]).toEqual([409, 'ERR_PACK_LIFECYCLE']);
    expect((await lifecycle('once', '1.0.0', { state: 'active' })).status).toBe(400);
    expect((await lifecycle('once', '2.0.0', { state: 'archived' })).status).toBe(404);
    await audited('once', 'pack.version.published', 'pack.version.archived');
    expect((await publisher.get<PackList>('/api/packs', { name: 'once' })).body.packs).toEqual([]);
    expect((await publisher.get<PackList>('/api/packs', { name: 'once', lifecycle: 'archived' })).body.packs).toMatchObject([
      { packId: 'once', lifecycle: 'archived', deprecated: true },
    ]);
  });

  it('is over for those who would depend on it', async () => {
    await publish('base', '1.0.0');
    const bundle = aBundle(aManifest('dependent', '1.0.0', { dependencies: [{ packId: 'base', version: '^1.0.0' }] }));
    await lifecycle('base', '1.0.0', { state: 'archived' });
    const refused = await publisher.publish(bundle, { signatures: [release.sigstore(bundle.bytes)] });
    expect([refused.status, refused.body.code]).toEqual([422, 'ERR_PACK_DEPENDENCY']);
  });
});

describe('from the command line', () => {
  const stella = (...args: readonly string[]) =>
    runStella([...args, '--output', 'json'], { env: { STELLA_REGISTRY_URL: registry.gatewayUrl, STELLA_TOKEN: publisher.token ?? '' } });

  it('a version is promoted, archived and shown, and refusals have their exit codes', async () => {
    for (const version of ['1.0.0', '1.1.0']) await publish('typed', version);
    const promoted = await stella('pack', 'promote', 'typed@1.1.0', '--channel', 'stable', '--from', 'edge');
    expect([promoted.code, JSON.parse(promoted.stdout)]).toMatchObject([0, { channel: 'stable', version: '1.1.0', changed: true }]);
    expect(await stella('pack', 'promote', 'typed@1.0.0', '--channel', 'stable')).toMatchObject({ code: 7, stdout: '' });
    expect((await stella('pack', 'promote', 'typed@1.0.0', '--channel', 'nobody-made-it')).code).toBe(2);
    await publish('typed', '1.2.0', [release]);
    const refused = await stella('pack', 'promote', 'typed@1.2.0', '--channel', 'stable');
    expect(refused.code).toBe(4);
    expect(refused.stderr).toContain('ERR_PACK_SIGNATURE_UNTRUSTED');
    const archived = await stella('pack', 'archive', 'typed@1.0.0', '--replacement', 'typed@1.1.0');
    expect([archived.code, JSON.parse(archived.stdout)]).toMatchObject([
      0,
      { lifecycle: 'archived', deprecation: { replacement: 'typed@1.1.0' } },
    ]);
    expect((await stella('pack', 'promote', 'typed@1.0.0', '--channel', 'lts')).code).toBe(7);
    const shown = JSON.parse((await stella('pack', 'show', 'typed')).stdout) as { versions: VersionView[] };
    expect(shown.versions.map(({ version, lifecycle: state }) => [version, state])).toEqual([
      ['1.2.0', 'active'],
      ['1.1.0', 'active'],
      ['1.0.0', 'archived'],
    ]);
    expect((await stella('channel', 'set', 'of-the-cli', '--description', 'By hand')).code).toBe(0);
    const { channels } = JSON.parse((await stella('channel', 'list')).stdout) as ChannelList;
    expect(channels).toContainEqual(expect.objectContaining({ name: 'of-the-cli', description: 'By hand' }));
  });
});
