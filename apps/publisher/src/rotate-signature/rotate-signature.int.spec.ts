import { sha256, type Digest } from '@packs/domain';
import { JudgingPublisher } from '../judging-publisher.fixture';
import { PromoteVersion } from '../promote-version/promote-version';
import { dyingInTransaction } from '../publisher.fixture';

const again = (signer: string, version = '1.0.0') => sha256(`${signer} signed ${version} again`);

describe('RotateSignature', () => {
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

  const active = async () =>
    (await publisher.rows<{ digest: Digest }>(`select digest from registry.signatures order by digest`)).map(({ digest }) => digest);
  const rotations = () => publisher.rows(`select seq, rotated_by, reason, added, replaced from registry.signature_rotations order by seq`);
  const promote = (version: string, channel = 'stable') =>
    new PromoteVersion(publisher.unitOfWork, publisher.commands, publisher.clock).execute({
      ...{ ...publisher.origin, packId: 'acme.hello', version, channel, from: null },
    });

  it('puts one signature in the place of another, and keeps that with who, when and why', async () => {
    await publisher.publish({ version: '1.0.0' });
    const [old] = await active();
    if (!old) throw new Error('nothing was signed');
    publisher.clock.advance(1_000);
    const reply = await publisher.rotate('1.0.0', { signers: ['release'], replaces: [old], reason: 'the key was old' });
    const added = again('release');
    expect(reply).toMatchObject({ outcome: 'rotated', rotation: 1, added: [added], replaced: [old], signatures: [added], restored: false });
    expect(await active()).toEqual([added]);
    expect(await rotations()).toEqual([{ seq: 1, rotated_by: 'user:alice', reason: 'the key was old', added: [added], replaced: [old] }]);
    const history = await publisher.rows(`select digest, key_name, retired_by from registry.retired_signatures`);
    expect(history).toEqual([{ digest: old, key_name: 'release', retired_by: 1 }]);
    const [event] = await publisher.events('pack.signature.rotated');
    expect(event?.data).toMatchObject({
      ...publisher.origin,
      ...{ packId: 'acme.hello', version: '1.0.0', rotation: 1, added: [added], replaced: [old], reason: 'the key was old' },
      signatures: [added],
      signers: [{ name: 'release', keyId: sha256('release') }],
      rotatedAt: '2026-01-17T08:00:01.000Z',
    });
    expect(
      publisher
        .reverified()
        .at(-1)
        ?.signatures.map(({ digest }) => digest),
    ).toEqual([added]);
  });

  it('adds to what is there, and takes the place of all others when asked to', async () => {
    await publisher.publish({ version: '1.0.0' }, ['release', 'board']);
    const before = await active();
    await publisher.rotate('1.0.0', { signers: ['board'] });
    expect(await active()).toEqual([...before, again('board')].toSorted());
    const reply = await publisher.rotate('1.0.0', { signers: ['release'], replaces: 'all' });
    expect(reply).toMatchObject({ rotation: 2, signatures: [again('release')] });
    expect(await active()).toEqual([again('release')]);
  });

  it('leaves everything as it is when the policy that let the version in does not accept what would be left', async () => {
    await publisher.publish({ version: '1.0.0' }, ['release', 'board']);
    const before = await active();
    const reply = await publisher.rotate('1.0.0', { signers: ['board'], replaces: 'all' });
    expect(reply).toMatchObject({ outcome: 'rejected', verdict: { outcome: 'rejected', policy: { name: 'default' } } });
    expect(await active()).toEqual(before);
    expect(await rotations()).toEqual([]);
    expect(await publisher.events('pack.signature.rotated')).toEqual([]);
  });

  it('asks the policies of the channels that point at the version, too', async () => {
    await publisher.publish({ version: '1.0.0' }, ['release', 'board']);
    await promote('1.0.0');
    const refused = await publisher.rotate('1.0.0', { signers: ['release'], replaces: 'all' });
    expect(refused).toMatchObject({ outcome: 'rejected', verdict: { policy: { name: 'stable' } } });
    expect(await publisher.rotate('1.0.0', { signers: ['release', 'board'], replaces: 'all' })).toMatchObject({ outcome: 'rotated' });
  });

  it('refuses a signature that nobody trusted made, though the version is accepted without it', async () => {
    await publisher.publish({ version: '1.0.0' });
    const before = await active();
    await expect(publisher.rotate('1.0.0', { signers: ['stranger'] })).rejects.toMatchObject({
      code: 'ERR_PACK_VERDICT_REJECTED',
      errors: [{ field: 'signatures', message: expect.stringContaining(again('stranger')) as string }],
    });
    expect(await active()).toEqual(before);
  });

  it('refuses to replace what is no signature of the version, and to change what is not there', async () => {
    await publisher.publish({ version: '1.0.0' });
    await expect(publisher.rotate('1.0.0', { signers: ['release'], replaces: [sha256('another')] })).rejects.toMatchObject({
      code: 'ERR_PACK_NOT_FOUND',
      errors: [{ field: 'replaces' }],
    });
    await expect(publisher.rotate('2.0.0', { signers: ['release'] })).rejects.toMatchObject({ code: 'ERR_PACK_NOT_FOUND' });
  });

  it('changes nothing when asked for what is so already, and asks nobody', async () => {
    await publisher.publish({ version: '1.0.0' });
    await publisher.rotate('1.0.0', { signers: ['release'], replaces: 'all' });
    const asked = publisher.reverified().length;
    expect(await publisher.rotate('1.0.0', { signers: ['release'], replaces: 'all' })).toEqual({
      outcome: 'unchanged',
      signatures: [again('release')],
    });
    expect(publisher.reverified()).toHaveLength(asked);
    expect(await rotations()).toHaveLength(1);
  });

  it('gives the same answer to the same request under the same key, and refuses the key for another', async () => {
    await publisher.publish({ version: '1.0.0' });
    const request = { signers: ['release'], replaces: 'all' as const, idempotencyKey: 'key' };
    const first = await publisher.rotate('1.0.0', request);
    expect(await publisher.rotate('1.0.0', request)).toEqual(first);
    await expect(publisher.rotate('1.0.0', { ...request, reason: 'another' })).rejects.toMatchObject({
      code: 'ERR_PACK_IDEMPOTENCY_MISMATCH',
    });
    expect(await rotations()).toHaveLength(1);
  });

  it('is wholly there or wholly absent when its process dies', async () => {
    await publisher.publish({ version: '1.0.0' });
    const before = await active();
    const unitOfWork = dyingInTransaction(publisher.unitOfWork, 3);
    await expect(publisher.rotate('1.0.0', { signers: ['release'], replaces: 'all', unitOfWork })).rejects.toThrow('died');
    expect(await active()).toEqual(before);
    expect(await publisher.events('pack.signature.rotated')).toEqual([]);
  });

  it('judges again what another rotation has changed between verdict and commit', async () => {
    await publisher.publish({ version: '1.0.0' }, ['release', 'board']);
    let once = true;
    publisher.meanwhile = async () => {
      if (!once) return;
      once = false;
      await publisher.rotate('1.0.0', { signers: ['release'], replaces: 'all' });
    };
    const reply = await publisher.rotate('1.0.0', { signers: ['board'] });
    expect(reply).toMatchObject({ rotation: 2, signatures: [again('release'), again('board')].toSorted() });
    expect(await active()).toEqual([again('release'), again('board')].toSorted());
  });

  it('serves a withdrawn version again by signatures that suffice', async () => {
    await publisher.publish({ version: '1.0.0' });
    await publisher.policy({ name: 'default', version: 2, rule: { keyRef: 'release' } });
    publisher.trusted.delete('release');
    await publisher.raiseEpoch(3);
    expect(await publisher.settle('1.0.0')).toBe('withdrawn');
    expect(await publisher.rotate('1.0.0', { signers: ['board'] })).toMatchObject({ outcome: 'rejected' });
    publisher.trusted.add('release');
    expect(await publisher.rotate('1.0.0', { signers: ['release'], replaces: 'all' })).toMatchObject({
      outcome: 'rotated',
      restored: true,
    });
    expect(await publisher.rows(`select trust_epoch, withdrawn_at, standing_changes from registry.pack_versions`)).toEqual([
      { trust_epoch: '3', withdrawn_at: null, standing_changes: 2 },
    ]);
    expect(await publisher.events('pack.version.restored')).toMatchObject([{ data: { change: 2, epoch: 3 } }]);
  });

  it('lets nobody take a signature away without a trace', async () => {
    await publisher.publish({ version: '1.0.0' });
    await expect(publisher.rows(`delete from registry.signatures`)).rejects.toThrow('was not kept in the history');
    expect(await active()).toHaveLength(1);
  });
});
