import { Controller, Inject } from '@nestjs/common';
import { CheckParity as CheckParityCommand, type CheckParityReply, type CheckParityRequest } from '@packs/contracts';
import { AnswersCommand, CommandRequest } from '@packs/messaging';
import { LOGGER, type Logger } from '@packs/observability';
import { CheckParity } from './check-parity';

@Controller()
export class CheckParityHandler {
  constructor(
    private readonly checkParity: CheckParity,
    @Inject(LOGGER) private readonly logger: Logger,
  ) {}

  @AnswersCommand(CheckParityCommand)
  async handle(@CommandRequest(CheckParityCommand) request: CheckParityRequest): Promise<CheckParityReply> {
    const reply = await this.checkParity.execute(request);
    const { tenant, actor, mirrorId: mirror, depth } = request;
    this.logger.info({ tenant, actor, mirror, comparison: reply.check.id, depth }, 'check parity');
    return reply;
  }
}
