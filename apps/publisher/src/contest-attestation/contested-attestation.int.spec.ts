import { AttestingPublisher } from '../attesting-publisher.fixture';
import { JudgingPublisher } from '../judging-publisher.fixture';
import { PromoteVersion } from '../promote-version/promote-version';
import { ContestAttestation } from './contest-attestation';

const require = { attestations: [{ predicateType: 'https://slsa.dev/provenance/v1' }] };

describe('a version that an attestation let in', () => {
  let publisher: JudgingPublisher;
  let attesting: AttestingPublisher;
  beforeAll(async () => {
    publisher = await JudgingPublisher.open();
    attesting = new AttestingPublisher(publisher);
  });
  afterAll(() => publisher.close());
  beforeEach(async () => {
    publisher.anew();
    await publisher.policy({ rule: { anyOf: [{ keyRef: 'release' }, { keyRef: 'board' }] }, require });
    await publisher.policy({ name: 'beta', channel: 'beta', rule: { keyRef: 'board' } });
    await publisher.policy({ name: 'stable', channel: 'stable', require });
    await publisher.publish({ version: '1.0.0' }, ['release', 'board']);
  });

  const contest = async (digest: Awaited<ReturnType<AttestingPublisher['taken']>>['digest']) => {
    const decision = { packId: 'acme.hello', version: '1.0.0', digest, decision: 'contest' as const, reason: 'not ours' };
    await new ContestAttestation(publisher.unitOfWork, publisher.commands, publisher.clock).execute({ ...publisher.origin, ...decision });
  };
  const promote = (channel: string) =>
    new PromoteVersion(publisher.unitOfWork, publisher.commands, publisher.clock).execute({
      ...{ ...publisher.origin, packId: 'acme.hello', version: '1.0.0', channel, from: null },
    });
  const once = (work: () => Promise<unknown>) => {
    publisher.meanwhile = async () => {
      publisher.meanwhile = () => Promise.resolve();
      await work();
    };
  };

  describe('that is contested', () => {
    beforeEach(async () => {
      const { digest } = await attesting.taken('release');
      await contest(digest);
      await publisher.raiseEpoch(1);
    });

    it('stays when it is verified again', async () => {
      expect(await publisher.settle('1.0.0')).toBe('unchanged');
      expect(publisher.reverified()).toMatchObject([{ attestations: [expect.anything()] }]);
      expect(await publisher.events('pack.version.withdrawn')).toEqual([]);
    });

    it('takes other signatures', async () => {
      expect(await publisher.rotate('1.0.0', { signers: ['release'] })).toMatchObject({ outcome: 'rotated' });
    });

    it('goes into a channel that asks for none, and into none that does', async () => {
      expect(await promote('beta')).toMatchObject({ outcome: 'promoted' });
      expect(await promote('stable')).toMatchObject({ outcome: 'rejected', faults: [{ code: 'ERR_PACK_ATTESTATION_MISSING' }] });
    });
  });

  it('goes into no channel by one that is contested while it is judged', async () => {
    const { digest } = await attesting.taken('release');
    once(() => contest(digest));
    expect(await promote('stable')).toMatchObject({ outcome: 'rejected', faults: [{ code: 'ERR_PACK_ATTESTATION_MISSING' }] });
    expect(await publisher.events('pack.version.promoted')).toEqual([]);
  });

  it('is not withdrawn for want of one that comes while it is judged', async () => {
    await publisher.raiseEpoch(1);
    once(() => attesting.taken('release'));
    expect(await publisher.settle('1.0.0')).toBe('unchanged');
    expect(publisher.reverified().map(({ attestations = [] }) => attestations.length)).toEqual([0, 1]);
    expect(await publisher.events('pack.version.withdrawn')).toEqual([]);
  });

  it('takes other signatures by what it is attested by then', async () => {
    await attesting.taken('release');
    once(() => attesting.taken('board'));
    expect(await publisher.rotate('1.0.0', { signers: ['release'] })).toMatchObject({ outcome: 'rotated' });
    expect(publisher.reverified().map(({ attestations = [] }) => attestations.length)).toEqual([1, 2]);
  });
});
