import { Controller, Inject } from '@nestjs/common';
import { UpdatePolicy as UpdatePolicyCommand, type UpdatePolicyReply, type UpdatePolicyRequest } from '@packs/contracts';
import { AnswersCommand, CommandRequest } from '@packs/messaging';
import { LOGGER, type Logger } from '@packs/observability';
import { UpdatePolicy } from './update-policy';

@Controller()
export class UpdatePolicyHandler {
  constructor(
    private readonly updatePolicy: UpdatePolicy,
    @Inject(LOGGER) private readonly logger: Logger,
  ) {}

  @AnswersCommand(UpdatePolicyCommand)
  async handle(@CommandRequest(UpdatePolicyCommand) request: UpdatePolicyRequest): Promise<UpdatePolicyReply> {
    const reply = await this.updatePolicy.execute(request);
    const { tenant, actor, name } = request;
    this.logger.info({ tenant, actor, policy: name, version: reply.policy.version, changed: reply.changed }, 'update policy');
    return reply;
  }
}
