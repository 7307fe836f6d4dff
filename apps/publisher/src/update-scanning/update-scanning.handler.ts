import { Controller, Inject } from '@nestjs/common';
import { UpdateScanning as UpdateScanningCommand, type UpdateScanningReply, type UpdateScanningRequest } from '@packs/contracts';
import { AnswersCommand, CommandRequest } from '@packs/messaging';
import { LOGGER, type Logger } from '@packs/observability';
import { UpdateScanning } from './update-scanning';

@Controller()
export class UpdateScanningHandler {
  constructor(
    private readonly updateScanning: UpdateScanning,
    @Inject(LOGGER) private readonly logger: Logger,
  ) {}

  @AnswersCommand(UpdateScanningCommand)
  async handle(@CommandRequest(UpdateScanningCommand) request: UpdateScanningRequest): Promise<UpdateScanningReply> {
    const reply = await this.updateScanning.execute(request);
    this.logger.info({ tenant: request.tenant, actor: request.actor, ...reply.settings, changed: reply.changed }, 'update scanning');
    return reply;
  }
}
