/** Remembers proofs of possession for as long as they are good, for all replicas together. */
export abstract class UsedProofs {
  /** @returns whether this is the first use of the proof */
  abstract use(id: string): Promise<boolean>;

  /** Forgets those that nobody would accept any more. @returns how many */
  abstract sweep(): Promise<number>;
}
