import type { ConsumerContract, EventEnvelope } from '@packs/contracts';
import { DomainError } from '@packs/domain';

export interface ReplayCounts {
  /** Events read from the record. */
  readonly events: number;
  /** Those that had not taken effect before. */
  readonly applied: number;
  /** Those the handler refuses for good; live, they are dead letters. */
  readonly refused: number;
}

/** What one consumer does with events, however they reach it: live, from a dead letter, or from the record. */
export interface EventSubscriber {
  readonly contract: ConsumerContract;
  /**
   * Gives one event its effect.
   * @returns false when it had taken effect before or has none here
   */
  apply(event: EventEnvelope): Promise<boolean>;
  /**
   * Gives many events, in their order, the effect that `apply` gives each. When it fails, any of them may have had it.
   * Absent: one event at a time.
   */
  applyTogether?(events: readonly EventEnvelope[]): Promise<void>;
  /** Makes what it keeps of a tenant anew from all of the tenant's events, or leaves it as it is. Absent: it keeps nothing that could be emptied. */
  rebuild?(tenant: string, events: AsyncIterable<EventEnvelope>): Promise<ReplayCounts>;
}

/** Hands events to `apply` one after another. A refusal for good ends nothing but that event; any other failure ends the replay. */
export async function applyAll(events: AsyncIterable<EventEnvelope>, apply: EventSubscriber['apply']): Promise<ReplayCounts> {
  const counts = { events: 0, applied: 0, refused: 0 };
  for await (const event of events) {
    counts.events += 1;
    try {
      if (await apply(event)) counts.applied += 1;
    } catch (error) {
      if (!(error instanceof DomainError) || error.retry === 'later') throw error;
      counts.refused += 1;
    }
  }
  return counts;
}
