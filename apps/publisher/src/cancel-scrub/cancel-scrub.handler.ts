import { Controller, Inject } from '@nestjs/common';
import { CancelScrub as CancelScrubCommand, type ScrubReply, type ScrubRequest } from '@packs/contracts';
import { AnswersCommand, CommandRequest } from '@packs/messaging';
import { LOGGER, type Logger } from '@packs/observability';
import { CancelScrub } from './cancel-scrub';

@Controller()
export class CancelScrubHandler {
  constructor(
    private readonly cancelScrub: CancelScrub,
    @Inject(LOGGER) private readonly logger: Logger,
  ) {}

  @AnswersCommand(CancelScrubCommand)
  async handle(@CommandRequest(CancelScrubCommand) request: ScrubRequest): Promise<ScrubReply> {
    const reply = await this.cancelScrub.execute(request);
    this.logger.info({ scrub: reply.scrub.id, actor: request.actor, state: reply.scrub.state }, 'scrub cancelled');
    return reply;
  }
}
