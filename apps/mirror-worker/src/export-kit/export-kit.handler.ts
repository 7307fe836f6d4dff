import { Controller, Inject } from '@nestjs/common';
import { ExportKit as ExportKitCommand, type ExportKitReply, type ExportKitRequest } from '@packs/contracts';
import { AnswersCommand, CommandRequest } from '@packs/messaging';
import { LOGGER, type Logger } from '@packs/observability';
import { ExportKit } from './export-kit';

@Controller()
export class ExportKitHandler {
  constructor(
    private readonly exportKit: ExportKit,
    @Inject(LOGGER) private readonly logger: Logger,
  ) {}

  @AnswersCommand(ExportKitCommand)
  async handle(@CommandRequest(ExportKitCommand) request: ExportKitRequest): Promise<ExportKitReply> {
    const reply = await this.exportKit.execute(request);
    this.logger.info({ tenant: request.tenant, actor: request.actor, job: reply.id, seq: request.seq }, 'export kit');
    return reply;
  }
}
