import type { MirrorRecord, PulledRepository } from '@packs/contracts';
import { DomainError, requireUnsealed, type Digest } from '@packs/domain';
import type { SealOf } from '@packs/oci-layout';
import type { HeldJob, MirrorQueue, RemoteRegistries } from '@packs/ports';
import type { PreparedSync } from '../run-sync/run-sync';
import type { BringTag } from './bring-tag';
import { isRefusal, PullBudget, type PullPlace } from './pull-place';
import { PullTally } from './pull-tally';
import { wantedTags } from './wanted-tags';

/** Tags of one repository that are looked at. */
const TAGS_MAX = 100_000;
/** Tags whose records are read together, and after which it is written down how far the pull is though nothing came in. */
const TOGETHER = 200;

interface Item {
  readonly place: PullPlace;
  readonly tag: string;
  /** Where it is written down what was brought. */
  readonly path: string;
}

interface Waiting {
  readonly item: Item;
  /** What it was refused with; undefined: nobody has tried. */
  readonly needs?: DomainError;
}

/**
 * Brings what is wanted of an upstream in, tag by tag. What is here is not fetched again, so an attempt goes on where the last one ended. Whatever is
 * refused is told with its reason, and stops nothing else.
 */
export class RunPull {
  constructor(
    private readonly sources: RemoteRegistries,
    private readonly sealOf: SealOf,
    private readonly bringTag: BringTag,
    private readonly queue: MirrorQueue,
  ) {}

  /** @throws DomainError ERR_PACK_SEALED; ERR_REGISTRY_… when the upstream cannot be asked; ERR_PACK_UNAVAILABLE */
  async execute(job: HeldJob, mirror: MirrorRecord, signal: AbortSignal): Promise<PreparedSync> {
    const { pull } = mirror;
    if (!pull) throw new Error(`mirror ${mirror.id} pulls nothing`);
    requireUnsealed(await this.sealOf(mirror.tenant));
    const tally = new PullTally();
    const budget = new PullBudget(pull, bytes => tally.fetched(bytes));
    const items = await this.itemsOf(job, mirror, { rules: pull.repositories, tally, budget, signal });
    tally.total = items.length;
    let waiting: readonly Waiting[] = items.map(item => ({ item }));
    // What needs other packs may find them once those are in.
    for (let before = -1; waiting.length > 0 && tally.counts().versions > before;) {
      before = tally.counts().versions;
      waiting = await this.bringAll(
        job,
        waiting.map(({ item }) => item),
        tally,
      );
    }
    for (const { item, needs } of waiting) if (needs) item.place.refuse(item.tag, needs);
    const outcome = tally.outcome();
    await this.queue.progress(job, [], outcome.counts);
    return { staged: { digest: outcome.stateDigest, commit: () => Promise.resolve() }, outcome, tidy: () => Promise.resolve() };
  }

  /** @throws the first fault of a repository when none of them could be asked */
  private async itemsOf(
    job: HeldJob,
    mirror: MirrorRecord,
    about: {
      readonly rules: readonly PulledRepository[];
      readonly tally: PullTally;
      readonly budget: PullBudget;
      readonly signal: AbortSignal;
    },
  ): Promise<Item[]> {
    const items: Item[] = [];
    const faults: DomainError[] = [];
    for (const rule of about.rules) {
      const repository = rule.as ?? rule.repository;
      try {
        const place = await this.open(job, mirror, rule, about);
        const wanted = wantedTags(rule, place.tags ?? []);
        for (const tag of wanted) items.push({ place, tag, path: `${repository}/tags/${tag}` });
      } catch (error) {
        about.signal.throwIfAborted();
        if (!isRefusal(error)) throw error;
        faults.push(error);
        about.tally.refuse(repository, '*', error);
      }
    }
    const [first] = faults;
    if (first && faults.length === about.rules.length) throw first;
    return items;
  }

  private async open(
    job: HeldJob,
    { tenant, location }: MirrorRecord,
    rule: PulledRepository,
    { tally, budget, signal }: { readonly tally: PullTally; readonly budget: PullBudget; readonly signal: AbortSignal },
  ): Promise<PullPlace> {
    const [host = '', ...path] = location.split('/');
    const from = this.sources.repository(host, [...path, rule.repository].join('/'));
    const tags = new Set<string>();
    for await (const tag of from.tags(signal)) {
      tags.add(tag);
      if (tags.size > TAGS_MAX) throw new DomainError('ERR_PACK_LIMIT', `a repository is pulled from with at most ${TAGS_MAX} tags`);
    }
    const repository = rule.as ?? rule.repository;
    return {
      ...{ tenant, actor: job.requestedBy, source: job.source, key: job.id },
      ...{ from, repository, tags, budget, signal },
      refuse: (what, error) => tally.refuse(repository, what, error),
    };
  }

  /** @returns those that need packs which are not here */
  private async bringAll(job: HeldJob, items: readonly Item[], tally: PullTally): Promise<Waiting[]> {
    const waiting: Waiting[] = [];
    for (let at = 0; at < items.length; at += TOGETHER) {
      const some = items.slice(at, at + TOGETHER);
      const copies = await this.queue.copiesOf(
        job,
        some.map(({ path }) => path),
      );
      for (const item of some) {
        const needs = await this.bringOne(job, item, tally, copies.get(item.path));
        if (needs) waiting.push({ item, needs });
      }
      await this.queue.progress(job, [], tally.counts());
    }
    return waiting;
  }

  /** @returns why it waits for other packs, if it does */
  private async bringOne(job: HeldJob, { place, tag, path }: Item, tally: PullTally, before?: Digest): Promise<DomainError | undefined> {
    place.signal.throwIfAborted();
    try {
      const { digest } = await this.bringTag.execute(place, tag, before, async brought => {
        // Before anything else comes: a tag that moves on may be moved by who has put it there.
        if (brought.digest !== before)
          await this.queue.progress(job, [{ path, digest: brought.digest, size: brought.size }], tally.counts());
      });
      tally.done(place.repository, tag, digest);
      if (digest !== before) await this.queue.progress(job, [], tally.counts());
    } catch (error) {
      place.signal.throwIfAborted();
      if (!isRefusal(error)) throw error;
      if (error.code === 'ERR_PACK_DEPENDENCY') return error;
      place.refuse(tag, error);
    }
    return undefined;
  }
}
