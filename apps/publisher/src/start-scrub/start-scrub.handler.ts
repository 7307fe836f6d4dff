import { Controller, Inject } from '@nestjs/common';
import { StartScrub as StartScrubCommand, type ScrubReply, type StartScrubRequest } from '@packs/contracts';
import { AnswersCommand, CommandRequest } from '@packs/messaging';
import { LOGGER, type Logger } from '@packs/observability';
import { StartScrub } from './start-scrub';

@Controller()
export class StartScrubHandler {
  constructor(
    private readonly startScrub: StartScrub,
    @Inject(LOGGER) private readonly logger: Logger,
  ) {}

  @AnswersCommand(StartScrubCommand)
  async handle(@CommandRequest(StartScrubCommand) request: StartScrubRequest): Promise<ScrubReply> {
    const reply = await this.startScrub.execute(request);
    this.logger.info({ scrub: reply.scrub.id, actor: request.actor }, 'scrub asked for');
    return reply;
  }
}
