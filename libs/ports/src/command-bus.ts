import type { CommandContract, ReplyOf, RequestOf } from '@packs/contracts';

/**
 * Sends a command to the process that answers it and waits for the reply. When no reply comes it is sent once more, so every
 * command has to be safe to repeat: it carries an idempotency key, or doing it again changes nothing.
 */
export abstract class CommandBus {
  /**
   * @param timeoutMs less than the contract's own time-out, for a request known to be quick
   * @throws DomainError the answering process's refusal, or ERR_PACK_UNAVAILABLE (`retry: later`) when nobody answers in time
   */
  abstract send<C extends CommandContract>(contract: C, request: RequestOf<C>, timeoutMs?: number): Promise<ReplyOf<C>>;
}
