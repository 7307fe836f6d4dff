import { Controller, Inject } from '@nestjs/common';
import { UpdateChannel as UpdateChannelCommand, type UpdateChannelReply, type UpdateChannelRequest } from '@packs/contracts';
import { AnswersCommand, CommandRequest } from '@packs/messaging';
import { LOGGER, type Logger } from '@packs/observability';
import { UpdateChannel } from './update-channel';

@Controller()
export class UpdateChannelHandler {
  constructor(
    private readonly updateChannel: UpdateChannel,
    @Inject(LOGGER) private readonly logger: Logger,
  ) {}

  @AnswersCommand(UpdateChannelCommand)
  async handle(@CommandRequest(UpdateChannelCommand) request: UpdateChannelRequest): Promise<UpdateChannelReply> {
    const reply = await this.updateChannel.execute(request);
    const { tenant, actor, name } = request;
    this.logger.info({ tenant, actor, channel: name, changed: reply.changed }, 'update channel');
    return reply;
  }
}
