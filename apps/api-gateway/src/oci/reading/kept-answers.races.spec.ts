import { sha256 } from '@packs/domain';
import { createLogger } from '@packs/observability';
import { ReadChanges, type ReadChange, type ReadChangesSeen } from '@packs/ports';
import { KeptAnswers } from './kept-answers';
import { ReadBarrier } from './read-barrier';

const CHANGE: ReadChange = { tenant: 'acme', repository: 'app', reference: 'latest' };
const VIEW = { tenant: 'acme', namespace: 'acme', repository: 'app', mayPush: false };
const STEPS = 300;
const SEEDS = 25;

/** A database with one number, whose every statement begins and ends when a seeded generator says so. */
class Shuffled extends ReadChanges {
  value = 0;
  private readonly waiting: (() => void)[] = [];
  private state: number;

  constructor(seed: number) {
    super();
    this.state = seed;
  }

  random(below: number): number {
    this.state = (Math.imul(this.state, 1_664_525) + 1_013_904_223) >>> 0;
    return (this.state >>> 8) % below;
  }

  /** Somebody waits for the server, or the server for somebody. */
  private later(): Promise<void> {
    return new Promise(resolve => this.waiting.push(resolve));
  }

  step(): void {
    this.waiting.splice(this.random(this.waiting.length), 1)[0]?.();
  }

  /** On its way, looked up, on its way back. */
  async read(): Promise<number> {
    await this.later();
    const { value } = this;
    await this.later();
    return value;
  }

  async watch(): Promise<ReadChangesSeen> {
    await this.later();
    let seen = this.value;
    let lost = false;
    const next = async () => {
      await this.later();
      const changes = Array.from({ length: this.value - seen }, () => CHANGE);
      seen = this.value;
      await this.later();
      if (this.random(40) === 0) lost = true;
      if (lost) throw new Error('lost');
      return changes;
    };
    return { next, close: () => (lost = true) };
  }
}

describe('KeptAnswers, whatever comes between', () => {
  afterEach(() => jest.restoreAllMocks());

  it('gives nobody what was changed before he asked', async () => {
    let [reads, kept] = [0, 0];
    for (let seed = 1; seed <= SEEDS; seed++) {
      const database = new Shuffled(seed);
      jest.spyOn(performance, 'now').mockImplementation(() => (kept + reads) * 1_000 + seed * 1e6);
      const barrier = new ReadBarrier(database, createLogger('spec', 'silent'));
      const answers = new KeptAnswers<number>(barrier, 1024 ** 2);
      const running: Promise<void>[] = [];
      const read = async (): Promise<void> => {
        const before = database.value;
        let asked = false;
        const answer = await answers.of(VIEW, 'latest', async () => {
          asked = true;
          return { answer: await database.read(), digest: sha256('x'), lasts: true, bytes: 1 };
        });
        reads += 1;
        if (!asked) kept += 1;
        if (answer < before) throw new Error(`seed ${seed}: ${answer} was read when ${before} had been written`);
      };
      for (let at = 0; at < STEPS; at++) {
        const dice = database.random(12);
        if (dice === 0) database.value += 1;
        else if (dice < 4) running.push(read());
        else database.step();
        if (dice % 2 === 0) await new Promise(resolve => setImmediate(resolve));
      }
      let done = false;
      const all = Promise.all(running).finally(() => (done = true));
      all.catch(() => undefined);
      while (!done) {
        database.step();
        await new Promise(resolve => setImmediate(resolve));
      }
      await all;
    }
    // Else it would prove nothing.
    expect(kept).toBeGreaterThan(reads / 20);
    expect(reads - kept).toBeGreaterThan(reads / 20);
  });
});
