import { Controller, Inject } from '@nestjs/common';
import { UpdateVisibility as UpdateVisibilityCommand, type UpdateVisibilityReply, type UpdateVisibilityRequest } from '@packs/contracts';
import { AnswersCommand, CommandRequest } from '@packs/messaging';
import { LOGGER, type Logger } from '@packs/observability';
import { UpdateVisibility } from './update-visibility';

@Controller()
export class UpdateVisibilityHandler {
  constructor(
    private readonly updateVisibility: UpdateVisibility,
    @Inject(LOGGER) private readonly logger: Logger,
  ) {}

  @AnswersCommand(UpdateVisibilityCommand)
  async handle(@CommandRequest(UpdateVisibilityCommand) request: UpdateVisibilityRequest): Promise<UpdateVisibilityReply> {
    const reply = await this.updateVisibility.execute(request);
    this.logger.info({ tenant: request.tenant, actor: request.actor, changed: reply.changed }, 'update visibility');
    return reply;
  }
}
