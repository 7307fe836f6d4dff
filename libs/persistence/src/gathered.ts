interface Waiting<Question, Answer> {
  readonly question: Question;
  readonly resolve: (answer: Answer) => void;
  readonly reject: (error: unknown) => void;
}

/** More than come in one tick of a busy server; what is above it goes in a round trip of its own. */
const MOST_AT_ONCE = 64;

/** Asks together what is asked in one tick of the event loop: a round trip costs both sides more than most of the answers do. */
export class Gathered<Question, Answer> {
  private waiting: Waiting<Question, Answer>[] = [];

  /** @param askAll answers in the order of the questions; when it fails, all that were asked together fail */
  constructor(private readonly askAll: (questions: readonly Question[]) => Promise<readonly Answer[]>) {}

  ask(question: Question): Promise<Answer> {
    return new Promise((resolve, reject) => {
      this.waiting.push({ question, resolve, reject });
      if (this.waiting.length === 1) setImmediate(() => this.flush());
    });
  }

  private flush(): void {
    const all = this.waiting;
    this.waiting = [];
    for (let at = 0; at < all.length; at += MOST_AT_ONCE) void this.answer(all.slice(at, at + MOST_AT_ONCE));
  }

  private async answer(some: readonly Waiting<Question, Answer>[]): Promise<void> {
    try {
      const answers = await this.askAll(some.map(({ question }) => question));
      if (answers.length !== some.length) throw new RangeError(`${some.length} questions have ${answers.length} answers`);
      answers.forEach((answer, at) => some[at]?.resolve(answer));
    } catch (error) {
      for (const { reject } of some) reject(error);
    }
  }
}
