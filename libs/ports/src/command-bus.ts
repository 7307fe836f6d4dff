import type { CommandContract, ReplyOf, RequestOf } from '@packs/contracts';

/** Sends a command to the process that answers it and waits for the reply. */
export abstract class CommandBus {
  /**
   * @throws DomainError the answering process's refusal, or ERR_PACK_UNAVAILABLE (`retry: later`) when nobody answers in time
   */
  abstract send<C extends CommandContract>(contract: C, request: RequestOf<C>): Promise<ReplyOf<C>>;
}
