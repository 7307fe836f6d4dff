import { Controller, Inject } from '@nestjs/common';
import { ReverifyVersion as ReverifyVersionCommand, type ReverifyVersionReply, type ReverifyVersionRequest } from '@packs/contracts';
import { AnswersCommand, CommandRequest } from '@packs/messaging';
import { LOGGER, type Logger } from '@packs/observability';
import { ReverifyVersion } from './reverify-version';

@Controller()
export class ReverifyVersionHandler {
  constructor(
    private readonly reverifyVersion: ReverifyVersion,
    @Inject(LOGGER) private readonly logger: Logger,
  ) {}

  @AnswersCommand(ReverifyVersionCommand)
  async handle(@CommandRequest(ReverifyVersionCommand) request: ReverifyVersionRequest): Promise<ReverifyVersionReply> {
    const reply = await this.reverifyVersion.execute(request);
    const { tenant, bundle, trust } = request;
    this.logger.info({ tenant, digest: bundle.digest, epoch: trust.epoch, outcome: reply.verdict.outcome }, 'reverify version');
    return reply;
  }
}
