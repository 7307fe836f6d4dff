import type { Digest, RepositoryName } from '@packs/domain';
import { keptReads } from '@packs/observability';
import type { ReadChange, RepositoryView } from '@packs/ports';
import { LRUCache } from 'lru-cache';
import type { Forgetful, ReadBarrier } from './read-barrier';

export interface Found<Answer> {
  readonly answer: Answer;
  readonly digest: Digest;
  /** It holds until one of the changes that are told of. */
  readonly lasts: boolean;
  readonly bytes: number;
}

interface Entry<Answer> extends RepositoryName {
  readonly reference: string;
  readonly found: Found<Answer>;
}

/** A question that is being asked. */
interface Filling extends RepositoryName {
  /** Something changed meanwhile that its answer may not know of. */
  spoilt: boolean;
}

/** Beside what the entry says of itself. */
const ENTRY_BYTES = 1_024;

/**
 * Answers about one kind of content, by who asks where for what. Only what was found is kept: who asks for what is not theirs, or not there, asks the
 * database every time. An answer was true when it was asked for; every change that came to be known since that moment, and that it may not have known of,
 * has taken it away; and nobody gets it but through the barrier.
 */
export class KeptAnswers<Answer> implements Forgetful {
  private readonly entries: LRUCache<string, Entry<Answer>>;
  private readonly ofRepositories = new Map<string, Map<string, Entry<Answer>>>();
  private readonly fillings = new Set<Filling>();

  constructor(
    private readonly barrier: ReadBarrier,
    maxBytes: number,
  ) {
    this.entries = new LRUCache({
      maxSize: maxBytes,
      sizeCalculation: ({ found }) => found.bytes + ENTRY_BYTES,
      dispose: (entry, key) => this.removeFromRepository(entry, key),
    });
    barrier.tell(this);
  }

  /** What `find` finds, or found when nothing was different. */
  async of(view: RepositoryView, reference: string, find: () => Promise<Found<Answer>>): Promise<Answer> {
    const { namespace, repository } = view;
    const key = `${view.tenant} ${view.mayPush ? 'push' : 'pull'} ${namespace}/${repository} ${reference}`;
    if (this.entries.has(key)) {
      await this.barrier.pass();
      const kept = this.entries.get(key);
      if (kept) {
        keptReads.inc();
        return kept.found.answer;
      }
    }
    if (!this.barrier.watches()) return (await find()).answer;
    // Known before the question leaves, so that no change can come between.
    const filling: Filling = { namespace, repository, spoilt: false };
    this.fillings.add(filling);
    try {
      const found = await find();
      if (found.lasts && !filling.spoilt) this.keep(key, { namespace, repository, reference, found });
      return found.answer;
    } finally {
      this.fillings.delete(filling);
    }
  }

  forget(changes: readonly ReadChange[]): void {
    for (const change of changes) {
      for (const filling of this.fillings) if (isIn(filling, change)) filling.spoilt = true;
      for (const [key, entry] of this.candidates(change)) if (isAbout(entry, change)) this.entries.delete(key);
    }
  }

  forgetAll(): void {
    for (const filling of this.fillings) filling.spoilt = true;
    this.entries.clear();
  }

  private keep(key: string, entry: Entry<Answer>): void {
    this.entries.set(key, entry);
    if (!this.entries.has(key)) return;
    const name = nameOf(entry);
    const there = this.ofRepositories.get(name) ?? new Map<string, Entry<Answer>>();
    this.ofRepositories.set(name, there.set(key, entry));
  }

  private candidates({ tenant, repository }: ReadChange): Iterable<readonly [string, Entry<Answer>]> {
    if (tenant === null || repository === null) return [...this.entries.entries()];
    return [...(this.ofRepositories.get(nameOf({ namespace: tenant, repository })) ?? [])];
  }

  private removeFromRepository(entry: Entry<Answer>, key: string): void {
    const name = nameOf(entry);
    const there = this.ofRepositories.get(name);
    if (there?.get(key) !== entry) return;
    there.delete(key);
    if (there.size === 0) this.ofRepositories.delete(name);
  }
}

function nameOf({ namespace, repository }: RepositoryName): string {
  return `${namespace}/${repository}`;
}

function isIn({ namespace, repository }: RepositoryName, change: ReadChange): boolean {
  return (change.tenant === null || change.tenant === namespace) && (change.repository === null || change.repository === repository);
}

function isAbout(entry: Entry<unknown>, change: ReadChange): boolean {
  const { reference } = change;
  return isIn(entry, change) && (reference === null || reference === entry.reference || reference === entry.found.digest);
}
