import { Controller, Inject } from '@nestjs/common';
import { RotateSignature as RotateSignatureCommand, type RotateSignatureReply, type RotateSignatureRequest } from '@packs/contracts';
import { AnswersCommand, CommandRequest } from '@packs/messaging';
import { LOGGER, type Logger } from '@packs/observability';
import { RotateSignature } from './rotate-signature';

@Controller()
export class RotateSignatureHandler {
  constructor(
    private readonly rotateSignature: RotateSignature,
    @Inject(LOGGER) private readonly logger: Logger,
  ) {}

  @AnswersCommand(RotateSignatureCommand)
  async handle(@CommandRequest(RotateSignatureCommand) request: RotateSignatureRequest): Promise<RotateSignatureReply> {
    const reply = await this.rotateSignature.execute(request);
    const { packId, version, actor, tenant } = request;
    this.logger.info({ packId, version, actor, tenant, result: reply.outcome }, 'rotate signature');
    return reply;
  }
}
