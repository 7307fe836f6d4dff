import { Controller, Inject } from '@nestjs/common';
import { ReceiveKit as ReceiveKitCommand, type ReceiveKitReply, type ReceiveKitRequest } from '@packs/contracts';
import { AnswersCommand, CommandRequest } from '@packs/messaging';
import { LOGGER, type Logger } from '@packs/observability';
import { ReceiveKit } from './receive-kit';

@Controller()
export class ReceiveKitHandler {
  constructor(
    private readonly receiveKit: ReceiveKit,
    @Inject(LOGGER) private readonly logger: Logger,
  ) {}

  @AnswersCommand(ReceiveKitCommand)
  async handle(@CommandRequest(ReceiveKitCommand) request: ReceiveKitRequest): Promise<ReceiveKitReply> {
    const reply = await this.receiveKit.execute(request);
    const { tenant, actor, kit, preflight } = request;
    this.logger.info({ tenant, actor, job: reply.id, digest: kit.digest, preflight }, 'receive kit');
    return reply;
  }
}
