import { Controller, Inject } from '@nestjs/common';
import { PutManifest as PutManifestCommand, type PutManifestReply, type PutManifestRequest } from '@packs/contracts';
import { AnswersCommand, CommandRequest } from '@packs/messaging';
import { LOGGER, type Logger } from '@packs/observability';
import { PutManifest } from './put-manifest';

@Controller()
export class PutManifestHandler {
  constructor(
    private readonly putManifest: PutManifest,
    @Inject(LOGGER) private readonly logger: Logger,
  ) {}

  @AnswersCommand(PutManifestCommand)
  async handle(@CommandRequest(PutManifestCommand) request: PutManifestRequest): Promise<PutManifestReply> {
    const reply = await this.putManifest.execute(request);
    const { repository, actor, tenant } = request;
    this.logger.info({ repository, actor, tenant, digest: reply.digest, version: reply.version, result: reply.state }, 'put manifest');
    return reply;
  }
}
