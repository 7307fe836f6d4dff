import { Controller, Inject } from '@nestjs/common';
import { CarryReferrers as CarryReferrersCommand, type CarryReferrersReply, type CarryReferrersRequest } from '@packs/contracts';
import { AnswersCommand, CommandRequest } from '@packs/messaging';
import { LOGGER, type Logger } from '@packs/observability';
import { CarryReferrers } from './carry-referrers';

@Controller()
export class CarryReferrersHandler {
  constructor(
    private readonly carryReferrers: CarryReferrers,
    @Inject(LOGGER) private readonly logger: Logger,
  ) {}

  @AnswersCommand(CarryReferrersCommand)
  async handle(@CommandRequest(CarryReferrersCommand) request: CarryReferrersRequest): Promise<CarryReferrersReply> {
    const reply = await this.carryReferrers.execute(request);
    const { tenant, actor, reference, packId, subject } = request;
    this.logger.info({ tenant, actor, reference, packId, subject, notCarried: reply.notCarried.length }, 'carry referrers');
    return reply;
  }
}
