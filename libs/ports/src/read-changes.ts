/** What is to be forgotten of answers of `RepositoryReadModel`. Null: of all tenants, of all their repositories, of every tag and digest there. */
export interface ReadChange {
  readonly tenant: string | null;
  readonly repository: string | null;
  /** A tag or a digest. */
  readonly reference: string | null;
}

/** Changes from a moment on, in the order of their calls. */
export interface ReadChangesSeen {
  /**
   * Everything that was committed before this call and was in no answer before, and perhaps a little of what was committed since. One call at a time.
   * @throws when some of it may have been missed; then this is of no use any more
   */
  next(): Promise<readonly ReadChange[]>;
  close(): void;
}

/** What was changed that decides reads, as those have to know it who keep answers. */
export abstract class ReadChanges {
  /** From now on: what was committed before the promise is kept may be left out. */
  abstract watch(): Promise<ReadChangesSeen>;
}
