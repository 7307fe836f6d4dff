import { Controller, Inject } from '@nestjs/common';
import { ImportKit as ImportKitCommand, type ImportKitReply, type ImportKitRequest } from '@packs/contracts';
import { AnswersCommand, CommandRequest } from '@packs/messaging';
import { LOGGER, type Logger } from '@packs/observability';
import { ImportKit } from './import-kit';

@Controller()
export class ImportKitHandler {
  constructor(
    private readonly importKit: ImportKit,
    @Inject(LOGGER) private readonly logger: Logger,
  ) {}

  @AnswersCommand(ImportKitCommand)
  async handle(@CommandRequest(ImportKitCommand) request: ImportKitRequest): Promise<ImportKitReply> {
    const reply = await this.importKit.execute(request);
    const { tenant, actor, kit } = request;
    this.logger.info({ tenant, actor, digest: kit.digest, result: reply.outcome, added: reply.added, known: reply.known }, 'import kit');
    return reply;
  }
}
