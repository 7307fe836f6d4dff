interface Waiting<Question, Answer> {
  readonly question: Question;
  readonly resolve: (answer: Answer) => void;
  readonly reject: (error: unknown) => void;
}

export interface BatchOptions<Question> {
  /** Questions of another group never go together. */
  readonly groupOf: (question: Question) => string;
  /** A batch that is under way for longer waits for a lock, and nobody waits for it any more. */
  readonly slowMs: number;
  /** Batches under way at a time: one, and slow ones beside it. */
  readonly lanes: number;
  /** Of these one group's: who makes his own statements wait for a lock keeps nobody else from theirs. */
  readonly lanesOfGroup: number;
  readonly most: number;
  /** Whether a failure may be the fault of one question alone: then each is asked by itself. */
  readonly isOwnFault: (error: unknown) => boolean;
}

/**
 * Asks at once when nothing is under way; what comes meanwhile goes together afterwards: the busier the database, the more questions share a round trip and
 * a commit. Questions have to be repeatable.
 */
export class Batched<Question, Answer> {
  private readonly waiting: Waiting<Question, Answer>[] = [];
  /** How many batches of each group there are. */
  private readonly ofGroup = new Map<string, number>();
  private underWay = 0;
  private slow = 0;

  /** @param askAll answers in the order of the questions, all or none */
  constructor(
    private readonly askAll: (questions: readonly Question[]) => Promise<readonly Answer[]>,
    private readonly options: BatchOptions<Question>,
  ) {}

  ask(question: Question): Promise<Answer> {
    return new Promise((resolve, reject) => {
      this.waiting.push({ question, resolve, reject });
      this.fill();
    });
  }

  private fill(): void {
    while (this.underWay === this.slow && this.underWay < this.options.lanes) {
      const group = this.nextGroup();
      if (group === undefined) return;
      void this.begin(group, this.take(group));
    }
  }

  private async begin(group: string, some: readonly Waiting<Question, Answer>[]): Promise<void> {
    this.count(group, 1);
    let isSlow = false;
    const timer = setTimeout(() => {
      isSlow = true;
      this.slow += 1;
      this.fill();
    }, this.options.slowMs);
    await this.run(some);
    clearTimeout(timer);
    this.count(group, -1);
    if (isSlow) this.slow -= 1;
    this.fill();
  }

  private count(group: string, change: 1 | -1): void {
    const left = (this.ofGroup.get(group) ?? 0) + change;
    if (left > 0) this.ofGroup.set(group, left);
    else this.ofGroup.delete(group);
    this.underWay += change;
  }

  /** That of whoever has waited longest and whose group has a lane left. */
  private nextGroup(): string | undefined {
    const { groupOf, lanesOfGroup } = this.options;
    const next = this.waiting.find(({ question }) => (this.ofGroup.get(groupOf(question)) ?? 0) < lanesOfGroup);
    return next && groupOf(next.question);
  }

  private take(group: string): Waiting<Question, Answer>[] {
    const { groupOf, most } = this.options;
    const taken = this.waiting.filter(({ question }) => groupOf(question) === group).slice(0, most);
    const chosen = new Set(taken);
    this.waiting.splice(0, this.waiting.length, ...this.waiting.filter(one => !chosen.has(one)));
    return taken;
  }

  private async run(some: readonly Waiting<Question, Answer>[]): Promise<void> {
    try {
      const answers = await this.askAll(some.map(({ question }) => question));
      if (answers.length !== some.length) throw new RangeError(`${some.length} questions have ${answers.length} answers`);
      answers.forEach((answer, at) => some[at]?.resolve(answer));
    } catch (error) {
      if (some.length > 1 && this.options.isOwnFault(error)) for (const one of some) await this.run([one]);
      else for (const { reject } of some) reject(error);
    }
  }
}
