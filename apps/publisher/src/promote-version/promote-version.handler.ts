import { Controller, Inject } from '@nestjs/common';
import { PromoteVersion as PromoteVersionCommand, type PromoteVersionReply, type PromoteVersionRequest } from '@packs/contracts';
import { AnswersCommand, CommandRequest } from '@packs/messaging';
import { channelPromotions, LOGGER, type Logger } from '@packs/observability';
import { PromoteVersion } from './promote-version';

@Controller()
export class PromoteVersionHandler {
  constructor(
    private readonly promoteVersion: PromoteVersion,
    @Inject(LOGGER) private readonly logger: Logger,
  ) {}

  @AnswersCommand(PromoteVersionCommand)
  async handle(@CommandRequest(PromoteVersionCommand) request: PromoteVersionRequest): Promise<PromoteVersionReply> {
    const reply = await this.promoteVersion.execute(request);
    const { packId, version, channel, actor, tenant } = request;
    if (reply.outcome === 'promoted') channelPromotions.inc({ channel });
    const digest = reply.outcome === 'rejected' ? reply.verdict.subject.bundle : reply.digest;
    this.logger.info({ packId, version, channel, actor, tenant, digest, result: reply.outcome }, 'promote');
    return reply;
  }
}
