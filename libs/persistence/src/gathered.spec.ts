import { Gathered } from './gathered';

function doubling() {
  const rounds: number[][] = [];
  const gathered = new Gathered<number, number>(async questions => {
    rounds.push([...questions]);
    if (questions.includes(13)) throw new Error('unlucky');
    return questions.map(question => question * 2);
  });
  return { gathered, rounds };
}

describe('Gathered', () => {
  it('asks together what is asked in one tick, and gives each its own answer', async () => {
    const { gathered, rounds } = doubling();
    expect(await Promise.all([1, 2, 3].map(question => gathered.ask(question)))).toEqual([2, 4, 6]);
    expect(await gathered.ask(4)).toBe(8);
    expect(rounds).toEqual([[1, 2, 3], [4]]);
  });

  it('keeps a round trip small', async () => {
    const { gathered, rounds } = doubling();
    const questions = Array.from({ length: 150 }, (_, at) => 100 + at);
    expect(await Promise.all(questions.map(question => gathered.ask(question)))).toEqual(questions.map(question => question * 2));
    expect(rounds.map(round => round.length)).toEqual([64, 64, 22]);
  });

  it('fails those that were asked together, and nobody after them', async () => {
    const { gathered } = doubling();
    const asked = await Promise.allSettled([12, 13].map(question => gathered.ask(question)));
    expect(asked.map(({ status }) => status)).toEqual(['rejected', 'rejected']);
    expect(await gathered.ask(14)).toBe(28);
  });

  it('takes a missing answer for a failure, not for somebody else’s', async () => {
    const gathered = new Gathered<number, number>(async () => [1]);
    const asked = await Promise.allSettled([1, 2].map(question => gathered.ask(question)));
    expect(asked.map(({ status }) => status)).toEqual(['rejected', 'rejected']);
  });
});
