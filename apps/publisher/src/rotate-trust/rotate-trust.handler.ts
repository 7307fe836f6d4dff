import { Controller, Inject } from '@nestjs/common';
import { RotateTrust as RotateTrustCommand, type RotateTrustReply, type RotateTrustRequest } from '@packs/contracts';
import { AnswersCommand, CommandRequest } from '@packs/messaging';
import { LOGGER, type Logger } from '@packs/observability';
import { RotateTrust } from './rotate-trust';

@Controller()
export class RotateTrustHandler {
  constructor(
    private readonly rotateTrust: RotateTrust,
    @Inject(LOGGER) private readonly logger: Logger,
  ) {}

  @AnswersCommand(RotateTrustCommand)
  async handle(@CommandRequest(RotateTrustCommand) request: RotateTrustRequest): Promise<RotateTrustReply> {
    const reply = await this.rotateTrust.execute(request);
    const { version, digest, epoch } = reply;
    this.logger.info({ tenant: request.tenant, actor: request.actor, version, digest, epoch }, 'rotate trust');
    return reply;
  }
}
