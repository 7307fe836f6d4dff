/** One file of an archive; its content has to be read before the next entry is asked for. */
export interface NestedEntry {
  readonly name: string;
  readonly content: AsyncIterator<Buffer>;
}

/** What an archive has that cannot be looked into. */
export interface SealedEntry {
  readonly name: string;
  readonly sealed: 'encrypted' | 'compression';
}
