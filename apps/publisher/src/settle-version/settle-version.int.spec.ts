import { VerifyBundle } from '@packs/contracts';
import { JudgingPublisher } from '../judging-publisher.fixture';

describe('SettleVersion', () => {
  let publisher: JudgingPublisher;
  beforeAll(async () => {
    publisher = await JudgingPublisher.open();
  });
  afterAll(() => publisher.close());
  beforeEach(async () => {
    publisher.anew();
    await publisher.policy();
    await publisher.publish({ version: '1.0.0' });
  });

  const standing = async () => {
    const [row] = await publisher.rows<object>(
      `select trust_epoch::int as epoch, withdrawn_at is not null as withdrawn, withdrawn_epoch::int as against, withdrawal_reasons as reasons,
         standing_changes as changes from registry.pack_versions`,
    );
    return row;
  };
  const untrust = async (epoch: number) => {
    publisher.trusted.delete('release');
    await publisher.raiseEpoch(epoch);
  };
  const trustAgain = async (epoch: number) => {
    publisher.trusted.add('release');
    await publisher.raiseEpoch(epoch);
  };

  it('withdraws what its policy no longer accepts, tells it once, and keeps the verdict', async () => {
    await untrust(1);
    expect(await publisher.settle('1.0.0')).toBe('withdrawn');
    expect(await publisher.settle('1.0.0')).toBe('unchanged');
    expect(await standing()).toEqual({ epoch: -1, withdrawn: true, against: 1, reasons: ['ERR_PACK_SIGNATURE_UNTRUSTED'], changes: 1 });
    const events = await publisher.events('pack.version.withdrawn');
    expect(events).toMatchObject([
      {
        data: {
          actor: 'system:reverification',
          packId: 'acme.hello',
          version: '1.0.0',
          change: 1,
          epoch: 1,
          reasons: ['ERR_PACK_SIGNATURE_UNTRUSTED'],
        },
      },
    ]);
    const kept = await publisher.rows(`select 1 from registry.verdicts where hash = '${String(events[0]?.data['verdictHash'])}'`);
    expect(kept).toHaveLength(1);
  });

  it('restores what is accepted again, and tells that once', async () => {
    await untrust(1);
    await publisher.settle('1.0.0');
    await trustAgain(2);
    expect(await publisher.settle('1.0.0')).toBe('restored');
    expect(await publisher.settle('1.0.0')).toBe('unchanged');
    expect(await standing()).toEqual({ epoch: 2, withdrawn: false, against: null, reasons: null, changes: 2 });
    const [withdrawn] = await publisher.events('pack.version.withdrawn');
    const restored = await publisher.events('pack.version.restored');
    expect(restored).toMatchObject([{ data: { change: 2, epoch: 2, withdrawnAt: withdrawn?.data['withdrawnAt'] } }]);
  });

  it('tells a change once when many find it at the same time', async () => {
    await untrust(1);
    const found = await Promise.all(Array.from({ length: 8 }, () => publisher.settle('1.0.0')));
    expect(found.toSorted()).toEqual([...Array<string>(7).fill('unchanged'), 'withdrawn']);
    expect(await publisher.events('pack.version.withdrawn')).toHaveLength(1);
  });

  it('notes the epoch that accepts a version, so that nobody has to ask again', async () => {
    await publisher.raiseEpoch(7);
    expect(await publisher.settle('1.0.0')).toBe('unchanged');
    expect(await standing()).toMatchObject({ epoch: 7, withdrawn: false, changes: 0 });
  });

  it('stays withdrawn since when it was, for the reason of today', async () => {
    await untrust(1);
    await publisher.settle('1.0.0');
    publisher.clock.advance(60_000);
    await publisher.raiseEpoch(2);
    expect(await publisher.settle('1.0.0')).toBe('unchanged');
    expect(await standing()).toMatchObject({ against: 2, changes: 1 });
    expect(await publisher.events('pack.version.withdrawn')).toHaveLength(1);
  });

  it('judges again when trust changes between verdict and commit', async () => {
    await untrust(1);
    publisher.meanwhile = async () => {
      publisher.meanwhile = () => Promise.resolve();
      await publisher.raiseEpoch(2);
    };
    expect(await publisher.settle('1.0.0')).toBe('withdrawn');
    expect(publisher.reverified().map(({ trust }) => trust.epoch)).toEqual([1, 2]);
    expect(await publisher.events('pack.version.withdrawn')).toMatchObject([{ data: { epoch: 2 } }]);
  });

  it('leaves a version alone whose bytes are damaged: that says nothing of who signed them', async () => {
    await publisher.raiseEpoch(1);
    publisher.damaged = true;
    await expect(publisher.settle('1.0.0')).rejects.toMatchObject({ code: 'ERR_PACK_CORRUPT' });
    expect(await standing()).toMatchObject({ epoch: 0, withdrawn: false });
  });

  it('asks the policy that let the version in, whatever came after it', async () => {
    await publisher.policy({ name: 'default', version: 2, rule: { keyRef: 'board' } });
    await publisher.raiseEpoch(1);
    expect(await publisher.settle('1.0.0')).toBe('unchanged');
    expect(publisher.reverified().at(-1)?.policies).toMatchObject([{ version: 1 }]);
    expect(publisher.commands.sent.filter(({ subject }) => subject === VerifyBundle.subject)).toHaveLength(1);
  });
});
