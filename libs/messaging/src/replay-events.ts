import type { EventEnvelope, ReplayEventsReply, ReplayEventsRequest } from '@packs/contracts';
import { DomainError } from '@packs/domain';
import type { EventRecord } from '@packs/ports';
import { applyAll, type EventSubscriber, type ReplayCounts } from './event-subscriber';

/** Runs one consumer of this process over the record of events again. Nothing is published. */
export class ReplayEvents {
  private stopping = false;

  constructor(
    private readonly record: EventRecord,
    private readonly subscribers: readonly EventSubscriber[],
  ) {}

  /** @throws DomainError ERR_PACK_NOT_FOUND, ERR_PACK_APPEND_ONLY, ERR_PACK_REQUEST_INVALID for a rebuild from part of the record */
  async execute({ tenant, consumer, since, rebuild }: ReplayEventsRequest): Promise<ReplayEventsReply> {
    const subscriber = this.subscribers.find(one => one.contract.name === consumer);
    if (!subscriber) throw new DomainError('ERR_PACK_NOT_FOUND', `no consumer ${consumer}`);
    const from = since === null ? null : new Date(since);
    const counts = rebuild
      ? await this.rebuild(subscriber, tenant, from)
      : await applyAll(this.events(tenant, from), event => subscriber.apply(event));
    return { consumer, ...counts };
  }

  /** Ends what is under way before its next event. */
  stop(): void {
    this.stopping = true;
  }

  private async rebuild(subscriber: EventSubscriber, tenant: string, since: Date | null): Promise<ReplayCounts> {
    const { name } = subscriber.contract;
    if (!subscriber.rebuild)
      throw new DomainError('ERR_PACK_APPEND_ONLY', `what ${name} keeps is appended to and never rebuilt; replay it without rebuild`);
    if (since !== null) await this.requireAllSince(tenant, since);
    return subscriber.rebuild(tenant, this.events(tenant, null));
  }

  /** A projection made from part of the record would lack what came before. */
  private async requireAllSince(tenant: string, since: Date): Promise<void> {
    for await (const first of this.events(tenant, null)) {
      if (new Date(first.time) >= since) return;
      throw new DomainError('ERR_PACK_REQUEST_INVALID', `a rebuild needs every event; the first was at ${first.time}`, {
        errors: [{ field: 'since', message: `must not be after ${first.time}, or be absent` }],
      });
    }
  }

  private async *events(tenant: string, since: Date | null): AsyncGenerator<EventEnvelope, void> {
    for await (const event of this.record.read({ tenant, since })) {
      if (this.stopping) throw new DomainError('ERR_PACK_UNAVAILABLE', 'the process is stopping; replay again', { retry: 'later' });
      yield event;
    }
  }
}
