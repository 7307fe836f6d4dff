import { AUDIT_CONSUMER, type EventEnvelope, type ReplayDeadLetterReply, type ReplayDeadLetterRequest } from '@packs/contracts';
import { DomainError } from '@packs/domain';
import type { DeadLetters } from '@packs/ports';
import type { AppendAudit } from '../append-audit/append-audit';

/** Runs the handler of the consumer that gave up, once more, over the stored message. */
export class ReplayDeadLetter {
  constructor(
    private readonly deadLetters: DeadLetters,
    private readonly appendAudit: AppendAudit,
    private readonly readEvent: (bytes: Uint8Array) => EventEnvelope,
  ) {}

  /** @throws DomainError ERR_PACK_NOT_FOUND, or what made the message a dead letter when it still does */
  async execute({ tenant, id }: ReplayDeadLetterRequest): Promise<ReplayDeadLetterReply> {
    const found = await this.deadLetters.find(tenant, id);
    if (!found || found.message.consumer !== AUDIT_CONSUMER.name) throw new DomainError('ERR_PACK_NOT_FOUND', `no dead letter ${id}`);
    await this.appendAudit.execute(this.readEvent(found.message.payload));
    const deadLetter = await this.deadLetters.markReplayed(tenant, id);
    return { deadLetter: deadLetter ?? found.summary };
  }
}
