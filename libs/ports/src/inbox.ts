/** Remembers which messages have taken effect, in the transaction of the effect. */
export abstract class Inbox {
  /** False when this consumer has seen the message before: then it must have no effect again. */
  abstract register(consumer: string, messageId: string): Promise<boolean>;

  /** @returns those of the messages that this consumer has not seen before */
  async registerAll(consumer: string, messageIds: readonly string[]): Promise<ReadonlySet<string>> {
    const unseen = new Set<string>();
    for (const id of messageIds) if (await this.register(consumer, id)) unseen.add(id);
    return unseen;
  }
}
