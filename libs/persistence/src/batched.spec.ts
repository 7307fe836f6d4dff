import { eventually } from '@packs/testing';
import { Batched } from './batched';

/** No batch but the one that a spec keeps is that slow. */
const SLOW_MS = 50;

interface Question {
  readonly group: string;
  readonly n: number;
}

/** Each round is answered when the spec lets it. */
class Slow {
  readonly rounds: { readonly ns: readonly number[]; end(): void }[] = [];
  readonly batched = new Batched<Question, number>(
    async questions => {
      const ns = questions.map(({ n }) => n);
      await new Promise<void>(end => this.rounds.push({ ns, end }));
      if (ns.includes(13)) throw new Error('unlucky');
      if (ns.includes(14)) throw new RangeError('nobody is at home');
      return ns.map(n => n * 2);
    },
    {
      groupOf: ({ group }) => group,
      slowMs: SLOW_MS,
      lanes: 3,
      lanesOfGroup: 2,
      most: 3,
      isOwnFault: error => !(error instanceof RangeError),
    },
  );

  ask(n: number, group = 'a'): Promise<number> {
    return this.batched.ask({ group, n });
  }

  get asked(): (readonly number[])[] {
    return this.rounds.map(({ ns }) => ns);
  }

  async end(round: number): Promise<void> {
    this.rounds[round]?.end();
    await new Promise(resolve => setImmediate(resolve));
  }
}

describe('Batched', () => {
  it('asks at once when nothing is under way, and together what came meanwhile', async () => {
    const slow = new Slow();
    const answers = [1, 2, 3, 4, 5].map(n => slow.ask(n));
    for (const round of [0, 1, 2]) await slow.end(round);
    expect(slow.asked).toEqual([[1], [2, 3, 4], [5]]);
    expect(await Promise.all(answers)).toEqual([2, 4, 6, 8, 10]);
  });

  it('lets nobody wait for a batch that is slow', async () => {
    const slow = new Slow();
    const [first, second] = [slow.ask(1), slow.ask(2)];
    await eventually(() => expect(slow.asked).toEqual([[1], [2]]));
    await slow.end(1);
    expect(await second).toBe(4);
    const third = slow.ask(3);
    await slow.end(2);
    expect(await third).toBe(6);
    await slow.end(0);
    expect(await first).toBe(2);
    expect(slow.asked).toEqual([[1], [2], [3]]);
  });

  it('never asks for two groups together, and lets nobody wait for ever', async () => {
    const slow = new Slow();
    const answers = [slow.ask(1), slow.ask(2, 'b'), slow.ask(3), slow.ask(4, 'b')];
    for (const round of [0, 1, 2]) await slow.end(round);
    expect(slow.asked).toEqual([[1], [2, 4], [3]]);
    expect(await Promise.all(answers)).toEqual([2, 4, 6, 8]);
  });

  it('lets a group that is slow keep no other waiting', async () => {
    const slow = new Slow();
    const answers = [slow.ask(1), slow.ask(2), slow.ask(3), slow.ask(4, 'b')];
    await eventually(() => expect(slow.asked).toEqual([[1], [2, 3], [4]]));
    const late = [slow.ask(5), slow.ask(6, 'b')];
    await slow.end(2);
    expect(slow.asked.slice(3)).toEqual([[6]]);
    await slow.end(3);
    // Two of its own are still under way.
    expect(slow.asked).toHaveLength(4);
    await slow.end(0);
    expect(slow.asked.slice(4)).toEqual([[5]]);
    for (const round of [1, 4]) await slow.end(round);
    expect(await Promise.all([...answers, ...late])).toEqual([2, 4, 6, 8, 10, 12]);
  });

  it('asks by itself what failed together with others: only the one at fault fails', async () => {
    const slow = new Slow();
    const answers = Promise.allSettled([1, 12, 13, 15].map(n => slow.ask(n)));
    for (const round of [0, 1, 2, 3, 4]) await slow.end(round);
    expect(slow.asked).toEqual([[1], [12, 13, 15], [12], [13], [15]]);
    expect((await answers).map(({ status }) => status)).toEqual(['fulfilled', 'fulfilled', 'rejected', 'fulfilled']);
  });

  it('does not ask again for what is nobody’s own fault', async () => {
    const slow = new Slow();
    const answers = Promise.allSettled([1, 12, 14].map(n => slow.ask(n)));
    for (const round of [0, 1]) await slow.end(round);
    expect(slow.asked).toEqual([[1], [12, 14]]);
    expect((await answers).map(({ status }) => status)).toEqual(['fulfilled', 'rejected', 'rejected']);
  });
});
