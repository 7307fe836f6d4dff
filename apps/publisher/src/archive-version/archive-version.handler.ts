import { Controller, Inject } from '@nestjs/common';
import { ArchiveVersion as ArchiveVersionCommand, type ArchiveVersionReply, type ArchiveVersionRequest } from '@packs/contracts';
import { AnswersCommand, CommandRequest } from '@packs/messaging';
import { LOGGER, type Logger } from '@packs/observability';
import { ArchiveVersion } from './archive-version';

@Controller()
export class ArchiveVersionHandler {
  constructor(
    private readonly archiveVersion: ArchiveVersion,
    @Inject(LOGGER) private readonly logger: Logger,
  ) {}

  @AnswersCommand(ArchiveVersionCommand)
  async handle(@CommandRequest(ArchiveVersionCommand) request: ArchiveVersionRequest): Promise<ArchiveVersionReply> {
    const reply = await this.archiveVersion.execute(request);
    const { packId, version, actor, tenant } = request;
    this.logger.info({ packId, version, actor, tenant, changed: reply.changed }, 'archive');
    return reply;
  }
}
