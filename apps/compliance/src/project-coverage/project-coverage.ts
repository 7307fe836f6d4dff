import { COVERAGE_CONSUMER, type EventEnvelope } from '@packs/contracts';
import { applyAll, type ReplayCounts } from '@packs/messaging';
import type { CoverageFact, CoverageTx, CoverageUnitOfWork } from '@packs/ports';
import { coverageFacts, type DataCheck } from './coverage-facts';

/** Keeps what the compliance summary counts, from events alone: each takes effect once, in whatever order they arrive. */
export class ProjectCoverage {
  constructor(
    private readonly unitOfWork: CoverageUnitOfWork,
    private readonly check: DataCheck,
  ) {}

  /**
   * @returns false when the event says nothing of coverage, or had been taken in before
   * @throws DomainError ERR_PACK_REQUEST_INVALID for an event that does not follow its contract, ERR_PACK_UNAVAILABLE during a rebuild
   */
  async execute(event: EventEnvelope): Promise<boolean> {
    return (await this.executeAll([event])) > 0;
  }

  /**
   * One transaction for each tenant they are of.
   * @returns how many said something of coverage and had not been taken in before
   * @throws DomainError as `execute` does, when any of them is refused; then those of its tenant are not taken in
   */
  async executeAll(events: readonly EventEnvelope[]): Promise<number> {
    const telling = events.map(event => ({ event, facts: coverageFacts(event, this.check) })).filter(({ facts }) => facts.length > 0);
    let taken = 0;
    for (const [tenant, own] of Map.groupBy(telling, ({ event }) => event.data.tenant)) {
      taken += await this.unitOfWork.run(tenant, tx => takeIn(tx, tenant, own));
    }
    return taken;
  }

  /** Makes the tenant's coverage anew; until all events are in, readers see the old one. */
  rebuild(tenant: string, events: AsyncIterable<EventEnvelope>): Promise<ReplayCounts> {
    return this.unitOfWork.rebuild(tenant, tx =>
      applyAll(events, async event => {
        const facts = coverageFacts(event, this.check);
        return facts.length > 0 && (await takeIn(tx, tenant, [{ event, facts }])) > 0;
      }),
    );
  }
}

interface Telling {
  readonly event: EventEnvelope;
  readonly facts: readonly CoverageFact[];
}

async function takeIn({ inbox, coverage }: CoverageTx, tenant: string, telling: readonly Telling[]): Promise<number> {
  const unseen = new Set(
    await inbox.registerAll(
      COVERAGE_CONSUMER.name,
      telling.map(({ event }) => event.id),
    ),
  );
  // An event that is there twice counts once.
  const fresh = telling.filter(({ event }) => unseen.delete(event.id));
  const facts = fresh.flatMap(({ event, facts }) => facts.map(fact => ({ fact, source: { eventId: event.id, at: event.time } })));
  if (facts.length > 0) await coverage.add(tenant, facts);
  return fresh.length;
}
