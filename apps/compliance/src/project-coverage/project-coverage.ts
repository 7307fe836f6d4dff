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
    const facts = coverageFacts(event, this.check);
    if (facts.length === 0) return false;
    return this.unitOfWork.run(event.data.tenant, tx => takeIn(tx, event, facts));
  }

  /** Makes the tenant's coverage anew; until all events are in, readers see the old one. */
  rebuild(tenant: string, events: AsyncIterable<EventEnvelope>): Promise<ReplayCounts> {
    return this.unitOfWork.rebuild(tenant, tx =>
      applyAll(events, async event => {
        const facts = coverageFacts(event, this.check);
        return facts.length > 0 && takeIn(tx, event, facts);
      }),
    );
  }
}

async function takeIn(
  { inbox, coverage }: CoverageTx,
  { id, time, data }: EventEnvelope,
  facts: readonly CoverageFact[],
): Promise<boolean> {
  if (!(await inbox.register(COVERAGE_CONSUMER.name, id))) return false;
  for (const fact of facts) await coverage.add(data.tenant, fact, { eventId: id, at: time });
  return true;
}
