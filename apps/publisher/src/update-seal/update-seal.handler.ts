import { Controller, Inject } from '@nestjs/common';
import { UpdateSeal as UpdateSealCommand, type SealReply, type UpdateSealRequest } from '@packs/contracts';
import { AnswersCommand, CommandRequest } from '@packs/messaging';
import { LOGGER, type Logger } from '@packs/observability';
import { UpdateSeal } from './update-seal';

@Controller()
export class UpdateSealHandler {
  constructor(
    private readonly updateSeal: UpdateSeal,
    @Inject(LOGGER) private readonly logger: Logger,
  ) {}

  @AnswersCommand(UpdateSealCommand)
  async handle(@CommandRequest(UpdateSealCommand) request: UpdateSealRequest): Promise<SealReply> {
    const reply = await this.updateSeal.execute(request);
    const { tenant, actor } = request;
    this.logger.info({ tenant, actor, sealed: reply.seal.sealed, changed: reply.changed }, 'update seal');
    return reply;
  }
}
