import type { Digest, Verdict } from '@packs/domain';
import { JudgingPublisher } from '../judging-publisher.fixture';
import { PromoteVersion } from '../promote-version/promote-version';

const SEEDS = Array.from({ length: 20 }, (_, seed) => seed + 1);
const STEPS = 10;

/** Whole numbers from 0 to below `n`, the same for the same seed (xorshift32). */
function chanceOf(seed: number): (n: number) => number {
  let state = seed * 0x9e3779b1;
  return n => {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    return (state >>> 0) % n;
  };
}

interface Rotation {
  readonly seq: number;
  readonly added: Digest[];
  readonly replaced: Digest[];
  readonly document: Verdict;
}

// Ten steps at a time, each of several verdicts and transactions.
jest.setTimeout(30_000);

describe('Rotations, promotions and changes of trust at the same time', () => {
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

  const promote = () =>
    new PromoteVersion(publisher.unitOfWork, publisher.commands, publisher.clock).execute({
      ...{ ...publisher.origin, packId: 'acme.hello', version: '1.0.0', channel: 'stable', from: null },
    });

  /** Starts steps one after another without waiting for them; verdicts take as long as chance has it. */
  async function interleave(seed: number): Promise<void> {
    const chance = chanceOf(seed);
    publisher.meanwhile = async () => {
      for (let left = chance(12); left > 0; left--) await publisher.rows('select 1');
    };
    let epoch = 0;
    const steps: readonly (() => Promise<unknown>)[] = [
      () => publisher.rotate('1.0.0', { signers: ['release'], replaces: 'all' }),
      () => publisher.rotate('1.0.0', { signers: ['release', 'board'], replaces: 'all' }),
      () => publisher.rotate('1.0.0', { signers: ['board'] }),
      promote,
      () => publisher.settle('1.0.0'),
      async () => {
        const [current] = await publisher.rows<{ trust_epoch: string }>(`select trust_epoch from registry.tenants`);
        if (!publisher.trusted.delete('release')) publisher.trusted.add('release');
        epoch = Math.max(epoch, Number(current?.trust_epoch ?? 0)) + 1;
        await publisher.raiseEpoch(epoch);
      },
    ];
    const started: Promise<unknown>[] = [];
    for (let left = STEPS; left > 0; left--) {
      const step = steps[chance(steps.length)] ?? promote;
      started.push(step());
      for (let wait = chance(4); wait > 0; wait--) await publisher.rows('select 1');
    }
    for (const outcome of await Promise.allSettled(started)) {
      if (outcome.status === 'rejected')
        expect(outcome.reason).toMatchObject({ code: expect.stringMatching(/^ERR_PACK_(CONFLICT|WITHDRAWN)$/) as string });
    }
    publisher.meanwhile = () => Promise.resolve();
  }

  it.each(SEEDS)(
    'leave signatures that were judged as they are, channels that accept them, and one event for each change (seed %i)',
    async seed => {
      await publisher.publish({ version: '1.0.0' }, ['release', 'board']);
      const [published] = await publisher.events('pack.version.published');
      await interleave(seed);
      publisher.trusted.add('release');
      await publisher.raiseEpoch(1_000);
      await publisher.settle('1.0.0');

      const active = new Set(published?.data['signatures'] as Digest[]);
      const rotations = await publisher.rows<Rotation>(
        `select r.seq, r.added, r.replaced, v.document from registry.signature_rotations r
       join registry.verdicts v on v.hash = r.verdict_hash order by r.seq`,
      );
      expect(rotations.map(({ seq }) => seq)).toEqual(rotations.map((_, at) => at + 1));
      for (const { added, replaced, document } of rotations) {
        for (const digest of replaced) expect(active.delete(digest)).toBe(true);
        for (const digest of added) active.add(digest);
        expect(document.outcome).toBe('accepted');
        expect(document.evidence).toEqual([...active].toSorted());
      }
      const now = await publisher.rows<{ digest: Digest; key_name: string }>(
        `select digest, key_name from registry.signatures order by digest`,
      );
      expect(now.map(({ digest }) => digest)).toEqual([...active].toSorted());
      const heads = await publisher.rows(`select 1 from registry.channel_heads where channel = 'stable'`);
      if (heads.length > 0) expect(now.map(({ key_name }) => key_name)).toContain('board');

      const standing = [...(await publisher.events('pack.version.withdrawn')), ...(await publisher.events('pack.version.restored'))]
        .map(({ type, data }) => ({ type, change: Number(data['change']) }))
        .toSorted((a, b) => a.change - b.change);
      expect(standing).toEqual(
        standing.map((_, at) => ({ type: at % 2 === 0 ? 'pack.version.withdrawn' : 'pack.version.restored', change: at + 1 })),
      );
      expect(await publisher.rows(`select trust_epoch::int as epoch, withdrawn_at, standing_changes from registry.pack_versions`)).toEqual([
        { epoch: 1_000, withdrawn_at: null, standing_changes: standing.length },
      ]);
      expect(await publisher.events('pack.signature.rotated')).toHaveLength(rotations.length);
    },
  );
});
