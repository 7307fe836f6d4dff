import { Controller, Inject, type Type } from '@nestjs/common';
import {
  CONSUMER_COMMANDS,
  type ConsumerProcess,
  type ListDeadLettersReply,
  type ListDeadLettersRequest,
  type ReplayDeadLetterReply,
  type ReplayDeadLetterRequest,
  type ReplayEventsReply,
  type ReplayEventsRequest,
} from '@packs/contracts';
import { LOGGER, type Logger } from '@packs/observability';
import { DeadLetters } from '@packs/ports';
import { ReplayDeadLetter } from './replay-dead-letter';
import { ReplayEvents } from './replay-events';
import { AnswersCommand, CommandRequest } from './rpc';

/** The controller with which a process answers the three commands every consuming process has. */
export function consumerCommands(process: ConsumerProcess): Type {
  const { listDeadLetters, replayDeadLetter, replayEvents } = CONSUMER_COMMANDS[process];

  @Controller()
  class ConsumerCommands {
    constructor(
      @Inject(DeadLetters) private readonly deadLetters: DeadLetters,
      @Inject(ReplayDeadLetter) private readonly deadLetterReplay: ReplayDeadLetter,
      @Inject(ReplayEvents) private readonly eventReplay: ReplayEvents,
      @Inject(LOGGER) private readonly logger: Logger,
    ) {}

    @AnswersCommand(listDeadLetters)
    list(@CommandRequest(listDeadLetters) { tenant, after, limit }: ListDeadLettersRequest): Promise<ListDeadLettersReply> {
      return this.deadLetters.list(tenant, after, limit);
    }

    @AnswersCommand(replayDeadLetter)
    replayOne(@CommandRequest(replayDeadLetter) request: ReplayDeadLetterRequest): Promise<ReplayDeadLetterReply> {
      return this.deadLetterReplay.execute(request);
    }

    @AnswersCommand(replayEvents)
    async replayAll(@CommandRequest(replayEvents) request: ReplayEventsRequest): Promise<ReplayEventsReply> {
      const reply = await this.eventReplay.execute(request);
      this.logger.info({ tenant: request.tenant, rebuild: request.rebuild, ...reply }, 'replay events');
      return reply;
    }
  }
  return ConsumerCommands;
}
