import { Controller, Inject } from '@nestjs/common';
import { PublishPack as PublishPackCommand, type PublishPackReply, type PublishPackRequest } from '@packs/contracts';
import { DomainError } from '@packs/domain';
import { AnswersCommand, CommandRequest } from '@packs/messaging';
import { LOGGER, publishTotal, type Logger } from '@packs/observability';
import { PublishPack } from './publish-pack';

@Controller()
export class PublishPackHandler {
  constructor(
    private readonly publishPack: PublishPack,
    @Inject(LOGGER) private readonly logger: Logger,
  ) {}

  @AnswersCommand(PublishPackCommand)
  async handle(@CommandRequest(PublishPackCommand) request: PublishPackRequest): Promise<PublishPackReply> {
    const { tenant, actor, bundle } = request;
    try {
      const reply = await this.publishPack.execute(request);
      publishTotal.inc({ result: reply.outcome });
      const named = reply.outcome === 'rejected' ? request : reply;
      this.logger.info(
        { packId: named.packId, version: named.version, actor, tenant, digest: bundle.digest, result: reply.outcome },
        'publish',
      );
      return reply;
    } catch (error) {
      publishTotal.inc({ result: error instanceof DomainError ? 'refused' : 'failed' });
      throw error;
    }
  }
}
