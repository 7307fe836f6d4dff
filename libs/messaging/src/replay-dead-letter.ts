import type { ReplayDeadLetterReply, ReplayDeadLetterRequest } from '@packs/contracts';
import { DomainError } from '@packs/domain';
import type { DeadLetters } from '@packs/ports';
import { readEvent } from './event-consumer';
import type { EventSubscriber } from './event-subscriber';

/** Gives a stored message to the consumer that gave up on it, once more. */
export class ReplayDeadLetter {
  constructor(
    private readonly deadLetters: DeadLetters,
    private readonly subscribers: readonly EventSubscriber[],
  ) {}

  /** @throws DomainError ERR_PACK_NOT_FOUND, or what made the message a dead letter when it still does */
  async execute({ tenant, id }: ReplayDeadLetterRequest): Promise<ReplayDeadLetterReply> {
    const found = await this.deadLetters.find(tenant, id);
    const subscriber = this.subscribers.find(({ contract }) => contract.name === found?.message.consumer);
    if (!found || !subscriber) throw new DomainError('ERR_PACK_NOT_FOUND', `no dead letter ${id}`);
    await subscriber.apply(readEvent(found.message.payload));
    const deadLetter = await this.deadLetters.markReplayed(tenant, id);
    return { deadLetter: deadLetter ?? found.summary };
  }
}
