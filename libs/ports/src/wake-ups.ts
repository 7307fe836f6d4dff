/** Signals that say "look again". One may be lost: whoever waits also looks again by the clock. */
export abstract class WakeUps {
  abstract signal(topic: string): void;
  /** @returns a function that ends the subscription */
  abstract subscribe(topic: string, onSignal: () => void): () => void;
}
