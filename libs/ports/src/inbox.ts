/** Remembers which messages have taken effect, in the transaction of the effect. */
export abstract class Inbox {
  /** False when this consumer has seen the message before: then it must have no effect again. */
  abstract register(consumer: string, messageId: string): Promise<boolean>;
}
