import type { PromoteVersionReply } from '@packs/contracts';
import { sha256 } from '@packs/domain';
import { ArchiveVersion } from '../archive-version/archive-version';
import { DeprecateVersion } from '../deprecate-version/deprecate-version';
import { JudgingPublisher } from '../judging-publisher.fixture';
import { UpdateChannel } from '../update-channel/update-channel';
import { PromoteVersion } from './promote-version';

interface Move {
  seq: string;
  channel: string;
  from_version: string | null;
  to_version: string;
  reason: string;
}

describe('PromoteVersion', () => {
  let publisher: JudgingPublisher;
  beforeAll(async () => {
    publisher = await JudgingPublisher.open();
  });
  afterAll(() => publisher.close());
  beforeEach(async () => {
    publisher.anew();
    await publisher.policy();
    await publisher.policy({ name: 'stable', channel: 'stable', rule: { keyRef: 'board' } });
  });

  const promote = (version: string, channel = 'stable', from: string | null = null): Promise<PromoteVersionReply> =>
    new PromoteVersion(publisher.unitOfWork, publisher.commands, publisher.clock).execute({
      ...publisher.origin,
      packId: 'acme.hello',
      version,
      channel,
      from,
    });
  const target = () => ({ ...publisher.origin, packId: 'acme.hello', reason: null, replacement: null });
  const deprecate = (version: string) => new DeprecateVersion(publisher.unitOfWork, publisher.clock).execute({ ...target(), version });
  const archive = (version: string) => new ArchiveVersion(publisher.unitOfWork, publisher.clock).execute({ ...target(), version });
  const moves = () =>
    publisher.rows<Move>(`select seq, channel, from_version, to_version, reason from registry.channel_moves order by seq`);
  const heads = async () => {
    const rows = await publisher.rows<{ channel: string; version: string }>(`select channel, version from registry.channel_heads`);
    return Object.fromEntries(rows.map(({ channel, version }) => [channel, version]));
  };

  it('moves the channel, keeps the verdict and tells what was there before', async () => {
    for (const version of ['1.0.0', '1.1.0']) await publisher.publish({ version }, ['release', 'board']);
    await promote('1.0.0', 'stable');
    publisher.clock.advance(1_000);
    const reply = await promote('1.1.0', 'stable', 'edge');
    expect(reply).toMatchObject({ outcome: 'promoted', previousVersion: '1.0.0', promotedAt: '2026-01-17T08:00:01.000Z' });
    expect(await heads()).toEqual({ edge: '1.1.0', stable: '1.1.0' });
    expect(await moves()).toEqual([
      { seq: '1', channel: 'edge', from_version: null, to_version: '1.0.0', reason: 'publish' },
      { seq: '2', channel: 'edge', from_version: '1.0.0', to_version: '1.1.0', reason: 'publish' },
      { seq: '3', channel: 'stable', from_version: null, to_version: '1.0.0', reason: 'promotion' },
      { seq: '4', channel: 'stable', from_version: '1.0.0', to_version: '1.1.0', reason: 'promotion' },
    ]);
    const [, event] = await publisher.events('pack.version.promoted');
    expect(event?.data).toMatchObject({
      packId: 'acme.hello',
      version: '1.1.0',
      channel: 'stable',
      from: 'edge',
      previousVersion: '1.0.0',
      verdictHash: reply.verdictHash,
      promotedAt: '2026-01-17T08:00:01.000Z',
      signatures: [expect.stringMatching(/^sha256:/), expect.stringMatching(/^sha256:/)],
      ...publisher.origin,
    });
    const [verdict] = await publisher.rows<{ document: unknown }>(
      `select document from registry.verdicts where hash = '${reply.verdictHash}'`,
    );
    expect(verdict?.document).toMatchObject({ outcome: 'accepted', policy: { name: 'stable' } });
  });

  it('asks the policy of the channel it goes to, and nothing moves when that says no', async () => {
    await publisher.publish({ version: '1.0.0' }, ['release']);
    const reply = await promote('1.0.0');
    expect(reply).toMatchObject({ outcome: 'rejected', verdict: { outcome: 'rejected', policy: { name: 'stable' } } });
    expect(publisher.reverified()).toMatchObject([{ channel: 'stable', packType: 'task' }]);
    expect(await heads()).toEqual({ edge: '1.0.0' });
    expect(await publisher.events('pack.version.promoted')).toEqual([]);
    expect(await publisher.events('pack.promotion.rejected')).toMatchObject([
      { data: { version: '1.0.0', channel: 'stable', verdictHash: reply.verdictHash, reasons: ['ERR_PACK_SIGNATURE_UNTRUSTED'] } },
    ]);
    expect(await publisher.rows(`select 1 from registry.verdicts where hash = '${reply.verdictHash}'`)).toHaveLength(1);
  });

  it('changes nothing when the channel points at the version already, and asks nobody', async () => {
    await publisher.publish({ version: '1.0.0' }, ['board', 'release']);
    const first = await promote('1.0.0');
    await publisher.publish({ version: '1.1.0' });
    publisher.clock.advance(5_000);
    const asked = publisher.reverified().length;
    expect(await promote('1.0.0', 'stable', 'edge')).toEqual({ ...first, outcome: 'unchanged', previousVersion: '1.0.0' });
    expect(publisher.reverified()).toHaveLength(asked);
    expect(await publisher.events('pack.version.promoted')).toHaveLength(1);
    expect(await moves()).toHaveLength(3);
  });

  it('never moves a channel back, also by precedence that no text order would give', async () => {
    for (const version of ['1.9.0', '1.10.0', '2.0.0-rc.1']) await publisher.publish({ version }, ['release', 'board']);
    await promote('1.10.0');
    await expect(promote('1.9.0')).rejects.toMatchObject({
      code: 'ERR_PACK_CONFLICT',
      message: expect.stringContaining('1.10.0') as string,
      details: { currentVersion: '1.10.0' },
    });
    expect(await promote('2.0.0-rc.1')).toMatchObject({ previousVersion: '1.10.0' });
  });

  it('promotes from a channel only what that channel points at', async () => {
    for (const version of ['1.0.0', '1.1.0']) await publisher.publish({ version }, ['release', 'board']);
    await expect(promote('1.0.0', 'stable', 'edge')).rejects.toMatchObject({
      code: 'ERR_PACK_CONFLICT',
      details: { channel: 'edge', currentVersion: '1.1.0' },
      errors: [{ field: 'from' }],
    });
    await expect(promote('1.0.0', 'stable', 'beta')).rejects.toMatchObject({
      code: 'ERR_PACK_CONFLICT',
      details: { currentVersion: null },
    });
    expect(await promote('1.1.0', 'beta', 'edge')).toMatchObject({ outcome: 'promoted' });
    expect(await promote('1.1.0', 'stable', 'beta')).toMatchObject({ outcome: 'promoted' });
  });

  it('refuses channels nobody made, naming the field', async () => {
    await publisher.publish({ version: '1.0.0' });
    await expect(promote('1.0.0', 'nightly')).rejects.toMatchObject({ code: 'ERR_PACK_CHANNEL_UNKNOWN', errors: [{ field: 'channel' }] });
    await expect(promote('1.0.0', 'beta', 'nightly')).rejects.toMatchObject({
      code: 'ERR_PACK_CHANNEL_UNKNOWN',
      errors: [{ field: 'from' }],
    });
    const publishing = publisher.publish({ version: '2.0.0' }, ['release'], 'nightly');
    await expect(publishing).rejects.toMatchObject({ code: 'ERR_PACK_CHANNEL_UNKNOWN', errors: [{ field: 'channel' }] });
    await new UpdateChannel(publisher.unitOfWork, publisher.clock).execute({ ...publisher.origin, name: 'nightly', description: '' });
    expect(await promote('1.0.0', 'nightly')).toMatchObject({ outcome: 'promoted' });
    expect(await publisher.publish({ version: '2.0.0' }, ['release'], 'nightly')).toMatchObject({ outcome: 'published' });
    expect(await heads()).toEqual({ edge: '1.0.0', nightly: '2.0.0' });
  });

  it('refuses versions that are not there or no longer active', async () => {
    for (const version of ['1.0.0', '1.1.0', '1.2.0']) await publisher.publish({ version }, ['release', 'board']);
    await deprecate('1.1.0');
    await archive('1.2.0');
    await expect(promote('1.1.0')).rejects.toMatchObject({ code: 'ERR_PACK_LIFECYCLE', details: { lifecycle: 'deprecated' } });
    await expect(promote('1.2.0')).rejects.toMatchObject({ code: 'ERR_PACK_LIFECYCLE', details: { lifecycle: 'archived' } });
    await expect(promote('1.0.0+other')).rejects.toMatchObject({ code: 'ERR_PACK_NOT_FOUND' });
    await expect(promote('9.0.0')).rejects.toMatchObject({ code: 'ERR_PACK_NOT_FOUND' });
    expect(publisher.reverified()).toEqual([]);
  });

  it('refuses what is withdrawn, though the channel itself would accept it', async () => {
    await publisher.publish({ version: '1.0.0' }, ['release', 'board']);
    publisher.trusted.delete('release');
    await publisher.raiseEpoch(1);
    await expect(promote('1.0.0')).rejects.toMatchObject({ code: 'ERR_PACK_WITHDRAWN', details: { trustEpoch: 1 } });
    publisher.trusted.add('release');
    expect(await promote('1.0.0')).toMatchObject({ outcome: 'promoted' });
    expect(publisher.reverified().map(({ channel }) => channel)).toEqual(['edge', 'edge', 'stable']);
  });

  it('judges again when the policy changes between verdict and commit', async () => {
    await publisher.publish({ version: '1.0.0' }, ['release', 'board']);
    publisher.meanwhile = async () => {
      publisher.meanwhile = () => Promise.resolve();
      await publisher.policy({ name: 'stable', version: 2, channel: 'stable', rule: { keyRef: 'security' } });
    };
    expect(await promote('1.0.0')).toMatchObject({ outcome: 'rejected', verdict: { policy: { name: 'stable', version: 2 } } });
    expect(await heads()).toEqual({ edge: '1.0.0' });
  });

  it('looks again at lifecycle and channel before it commits', async () => {
    for (const version of ['1.0.0', '1.1.0']) await publisher.publish({ version }, ['release', 'board']);
    publisher.meanwhile = () => deprecate('1.0.0');
    await expect(promote('1.0.0')).rejects.toMatchObject({ code: 'ERR_PACK_LIFECYCLE' });
    publisher.meanwhile = async () => {
      publisher.meanwhile = () => Promise.resolve();
      await publisher.publish({ version: '1.2.0' }, ['release', 'board'], 'stable');
    };
    await expect(promote('1.1.0')).rejects.toMatchObject({ code: 'ERR_PACK_CONFLICT', details: { currentVersion: '1.2.0' } });
    expect(await heads()).toEqual({ edge: '1.1.0', stable: '1.2.0' });
  });

  it('gives up, to be asked again, while policies keep changing', async () => {
    await publisher.publish({ version: '1.0.0' }, ['release', 'board']);
    let version = 1;
    publisher.meanwhile = () => publisher.policy({ name: 'stable', version: ++version, channel: 'stable', rule: { keyRef: 'board' } });
    await expect(promote('1.0.0')).rejects.toMatchObject({ code: 'ERR_PACK_CONFLICT', retry: 'later' });
    expect(await publisher.events('pack.version.promoted')).toEqual([]);
  });

  it('ends at the highest of many promotions at a time, with a history that has no gap and no step back', async () => {
    const versions = ['1.0.0', '1.1.0', '1.2.0', '1.9.0', '1.10.0', '1.11.0', '2.0.0-rc.1', '2.0.0'];
    for (const version of versions) await publisher.publish({ version }, ['release', 'board']);
    const answers = await Promise.allSettled([...versions, ...versions].map(version => promote(version)));
    const won = answers.flatMap(answer => (answer.status === 'fulfilled' && answer.value.outcome === 'promoted' ? [answer.value] : []));
    const lost = answers.flatMap((answer): unknown[] => (answer.status === 'rejected' ? [answer.reason] : []));
    expect(lost.filter(error => (error as { code?: string }).code !== 'ERR_PACK_CONFLICT')).toEqual([]);
    expect((await heads())['stable']).toBe('2.0.0');
    const history = await moves();
    expect(history.map(({ seq }) => Number(seq))).toEqual(history.map((_, at) => at + 1));
    const stable = history.filter(({ channel }) => channel === 'stable');
    expect(stable).toHaveLength(won.length);
    expect(stable.map(move => move.from_version)).toEqual([null, ...stable.slice(0, -1).map(move => move.to_version)]);
    const order = stable.map(move => versions.indexOf(move.to_version));
    expect(order).toEqual(order.toSorted((a, b) => a - b));
    expect((await publisher.events('pack.version.promoted')).map(event => event.data.version)).toEqual(stable.map(move => move.to_version));
  });

  it('leaves no row behind for a publish that moves nothing', async () => {
    for (const version of ['2.0.0', '1.0.0']) await publisher.publish({ version });
    expect(await moves()).toMatchObject([{ to_version: '2.0.0' }]);
    expect(await heads()).toEqual({ edge: '2.0.0' });
  });
});

describe('a version’s life', () => {
  let publisher: JudgingPublisher;
  beforeAll(async () => {
    publisher = await JudgingPublisher.open();
    await publisher.policy();
  });
  afterAll(() => publisher.close());
  const change = () => ({ ...publisher.origin, packId: 'acme.hello', reason: 'old', replacement: null });

  it('goes forward only, each step once', async () => {
    await publisher.publish({ version: '1.0.0' });
    const deprecateVersion = new DeprecateVersion(publisher.unitOfWork, publisher.clock);
    const archiveVersion = new ArchiveVersion(publisher.unitOfWork, publisher.clock);
    const version = { ...change(), version: '1.0.0' };
    expect(await deprecateVersion.execute({ ...version, replacement: 'acme.new' })).toMatchObject({ changed: true });
    publisher.clock.advance(1_000);
    const archived = await archiveVersion.execute(version);
    expect(archived).toEqual({ archivedAt: '2026-01-17T08:00:01.000Z', changed: true });
    publisher.clock.advance(1_000);
    expect(await archiveVersion.execute(version)).toEqual({ ...archived, changed: false });
    await expect(deprecateVersion.execute(version)).rejects.toMatchObject({ code: 'ERR_PACK_LIFECYCLE' });
    await expect(archiveVersion.execute({ ...version, version: '7.0.0' })).rejects.toMatchObject({ code: 'ERR_PACK_NOT_FOUND' });
    const events = await publisher.events('pack.version.archived');
    expect(events).toMatchObject([
      {
        data: {
          reason: 'old',
          replacement: 'acme.new',
          deprecatedAt: '2026-01-17T08:00:00.000Z',
          archivedAt: '2026-01-17T08:00:01.000Z',
          metadataHash: expect.stringMatching(/^sha256:/) as string,
        },
      },
    ]);
  });

  it('may end at once: archived is deprecated as well', async () => {
    await publisher.publish({ version: '1.1.0' });
    await new ArchiveVersion(publisher.unitOfWork, publisher.clock).execute({ ...change(), version: '1.1.0', replacement: 'acme.other' });
    const [row] = await publisher.rows<object>(
      `select deprecated_at = archived_at as same, deprecation_reason, archive_reason, replacement from registry.pack_versions where version = '1.1.0'`,
    );
    expect(row).toEqual({ same: true, deprecation_reason: 'old', archive_reason: 'old', replacement: 'acme.other' });
  });

  it('does not count for those who depend on it once it is not active', async () => {
    const versions = await publisher.unitOfWork.run(publisher.tenant, tx => tx.packs.versionsOf(publisher.tenant, ['acme.hello']));
    expect(versions.get('acme.hello')).toBeUndefined();
  });
});

describe('UpdateChannel', () => {
  let publisher: JudgingPublisher;
  beforeAll(async () => {
    publisher = await JudgingPublisher.open();
  });
  afterAll(() => publisher.close());
  const update = (name: string, description = '') =>
    new UpdateChannel(publisher.unitOfWork, publisher.clock).execute({ ...publisher.origin, name, description });

  it('adds a channel once and keeps who made it when it is described anew', async () => {
    expect(await update('nightly', 'every night')).toEqual({
      channel: { name: 'nightly', description: 'every night', createdAt: '2026-01-17T08:00:00.000Z', createdBy: 'user:alice' },
      changed: true,
    });
    publisher.clock.advance(1_000);
    expect(await update('nightly', 'every night')).toMatchObject({ changed: false });
    expect(await update('nightly', 'every hour')).toMatchObject({ changed: true, channel: { createdAt: '2026-01-17T08:00:00.000Z' } });
    const events = await publisher.events('registry.channel.updated');
    expect(events.map(event => event.data)).toMatchObject([
      { channel: 'nightly', description: 'every night', packId: null },
      { channel: 'nightly', description: 'every hour', createdAt: '2026-01-17T08:00:00.000Z' },
    ]);
  });

  it.each(['edge', 'beta', 'stable', 'lts'])('does not redefine %s', async name => {
    await expect(update(name)).rejects.toMatchObject({ code: 'ERR_PACK_REQUEST_INVALID', errors: [{ field: 'name' }] });
  });

  it('stops at 64 channels, also when they are made at one time', async () => {
    const answers = await Promise.allSettled(Array.from({ length: 66 }, (_, at) => update(`many-${at}`)));
    const codes = answers.flatMap(answer => (answer.status === 'rejected' ? [(answer.reason as { code: string }).code] : []));
    expect(codes).toEqual(['ERR_PACK_LIMIT', 'ERR_PACK_LIMIT', 'ERR_PACK_LIMIT']);
    expect(await publisher.rows('select 1 from registry.channels')).toHaveLength(64);
    expect(await update('nightly', 'still')).toMatchObject({ changed: true });
  });

  it('has the new state’s own hash', async () => {
    const [event] = await publisher.events('registry.channel.updated');
    const state = '{"channel":"nightly","createdAt":"2026-01-17T08:00:00.000Z","createdBy":"user:alice","description":"every night"}';
    expect(event?.data.metadataHash).toBe(sha256(state));
  });
});
