import { Controller, Inject } from '@nestjs/common';
import { DeprecateVersion as DeprecateVersionCommand, type DeprecateVersionReply, type DeprecateVersionRequest } from '@packs/contracts';
import { AnswersCommand, CommandRequest } from '@packs/messaging';
import { LOGGER, type Logger } from '@packs/observability';
import { DeprecateVersion } from './deprecate-version';

@Controller()
export class DeprecateVersionHandler {
  constructor(
    private readonly deprecateVersion: DeprecateVersion,
    @Inject(LOGGER) private readonly logger: Logger,
  ) {}

  @AnswersCommand(DeprecateVersionCommand)
  async handle(@CommandRequest(DeprecateVersionCommand) request: DeprecateVersionRequest): Promise<DeprecateVersionReply> {
    const reply = await this.deprecateVersion.execute(request);
    const { packId, version, actor, tenant } = request;
    this.logger.info({ packId, version, actor, tenant, changed: reply.changed }, 'deprecate');
    return reply;
  }
}
