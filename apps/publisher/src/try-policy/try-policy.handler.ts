import { Controller, Inject } from '@nestjs/common';
import { TryPolicy as TryPolicyCommand, type TryPolicyReply, type TryPolicyRequest } from '@packs/contracts';
import { AnswersCommand, CommandRequest } from '@packs/messaging';
import { LOGGER, type Logger } from '@packs/observability';
import { TryPolicy } from './try-policy';

@Controller()
export class TryPolicyHandler {
  constructor(
    private readonly tryPolicy: TryPolicy,
    @Inject(LOGGER) private readonly logger: Logger,
  ) {}

  @AnswersCommand(TryPolicyCommand)
  async handle(@CommandRequest(TryPolicyCommand) request: TryPolicyRequest): Promise<TryPolicyReply> {
    const reply = await this.tryPolicy.execute(request);
    const { tenant, policy } = request;
    const { examined, affected, changes } = reply;
    this.logger.info({ tenant, policy: policy.name, examined, affected, changes: changes.length }, 'try policy');
    return reply;
  }
}
