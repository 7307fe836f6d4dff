import { Controller, Inject } from '@nestjs/common';
import { ApproveUnseal as ApproveUnsealCommand, type SealReply, type ApproveUnsealRequest } from '@packs/contracts';
import { AnswersCommand, CommandRequest } from '@packs/messaging';
import { LOGGER, type Logger } from '@packs/observability';
import { ApproveUnseal } from './approve-unseal';

@Controller()
export class ApproveUnsealHandler {
  constructor(
    private readonly approveUnseal: ApproveUnseal,
    @Inject(LOGGER) private readonly logger: Logger,
  ) {}

  @AnswersCommand(ApproveUnsealCommand)
  async handle(@CommandRequest(ApproveUnsealCommand) request: ApproveUnsealRequest): Promise<SealReply> {
    const reply = await this.approveUnseal.execute(request);
    const { tenant, actor } = request;
    this.logger.info({ tenant, actor, sealed: reply.seal.sealed, changed: reply.changed }, 'approve unseal');
    return reply;
  }
}
