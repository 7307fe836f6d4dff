import { DomainError } from '@packs/domain';
import type { RemoteRepository } from '@packs/ports';

/** What one sync may still fetch. */
export class PullBudget {
  private fetched = 0;
  private brought = 0;

  constructor(
    private readonly most: { readonly maxVersions: number; readonly maxBytes: number },
    private readonly onFetched: (bytes: number) => void = () => undefined,
  ) {}

  /** What does not come in leaves its place to others: refused again and again, it would keep them out for ever. @throws DomainError ERR_PACK_LIMIT */
  async forVersion<T>(bring: () => Promise<T>): Promise<T> {
    const { maxVersions } = this.most;
    if (this.brought >= maxVersions) throw new DomainError('ERR_PACK_LIMIT', `a sync brings in at most ${maxVersions}; the next goes on`);
    const result = await bring();
    this.brought += 1;
    return result;
  }

  /** Asked before anything is fetched, so that it is not passed by what is on its way. @throws DomainError ERR_PACK_LIMIT */
  takeBytes(bytes: number): void {
    const { maxBytes } = this.most;
    if (this.fetched + bytes > maxBytes)
      throw new DomainError('ERR_PACK_LIMIT', `a sync fetches at most ${maxBytes} bytes; the next goes on`);
    this.fetched += bytes;
    this.onFetched(bytes);
  }
}

/** A repository at an upstream, and the one here that takes what comes from it. */
export interface PullPlace {
  readonly tenant: string;
  readonly actor: string;
  readonly source: string | null;
  readonly from: RemoteRepository;
  /** Its name here. */
  readonly repository: string;
  /** Every tag there; undefined: nobody has looked. */
  readonly tags: ReadonlySet<string> | undefined;
  /** The same for every attempt at one job, so that a publish has one answer in all of them. */
  readonly key: string;
  readonly budget: PullBudget;
  readonly signal: AbortSignal;
  /** Takes down what did not come in, and why. Nothing else is stopped by it. */
  refuse(what: string, error: DomainError): void;
}

/** Whether an error is about what was to come in. Any other may pass, or is ours, and ends the attempt. */
export function isRefusal(error: unknown): error is DomainError {
  return error instanceof DomainError && error.retry === 'never' && error.code !== 'ERR_PACK_SEALED';
}
