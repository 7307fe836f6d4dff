import { Controller, Inject } from '@nestjs/common';
import { UpdateTrust as UpdateTrustCommand, type UpdateTrustReply, type UpdateTrustRequest } from '@packs/contracts';
import { AnswersCommand, CommandRequest } from '@packs/messaging';
import { LOGGER, type Logger } from '@packs/observability';
import { UpdateTrust } from './update-trust';

@Controller()
export class UpdateTrustHandler {
  constructor(
    private readonly updateTrust: UpdateTrust,
    @Inject(LOGGER) private readonly logger: Logger,
  ) {}

  @AnswersCommand(UpdateTrustCommand)
  async handle(@CommandRequest(UpdateTrustCommand) request: UpdateTrustRequest): Promise<UpdateTrustReply> {
    const reply = await this.updateTrust.execute(request);
    this.logger.info(
      { tenant: request.tenant, actor: request.actor, digest: reply.digest, epoch: reply.epoch, changed: reply.changed },
      'update trust',
    );
    return reply;
  }
}
