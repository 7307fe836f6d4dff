import { Controller, Inject } from '@nestjs/common';
import { UpdateExporters as UpdateExportersCommand, type UpdateExportersReply, type UpdateExportersRequest } from '@packs/contracts';
import { AnswersCommand, CommandRequest } from '@packs/messaging';
import { LOGGER, type Logger } from '@packs/observability';
import { UpdateExporters } from './update-exporters';

@Controller()
export class UpdateExportersHandler {
  constructor(
    private readonly updateExporters: UpdateExporters,
    @Inject(LOGGER) private readonly logger: Logger,
  ) {}

  @AnswersCommand(UpdateExportersCommand)
  async handle(@CommandRequest(UpdateExportersCommand) request: UpdateExportersRequest): Promise<UpdateExportersReply> {
    const reply = await this.updateExporters.execute(request);
    this.logger.info({ tenant: request.tenant, actor: request.actor, digest: reply.digest, changed: reply.changed }, 'update exporters');
    return reply;
  }
}
