import { Controller, Inject } from '@nestjs/common';
import { QuarantineBlob as QuarantineBlobCommand, type QuarantineBlobReply, type QuarantineBlobRequest } from '@packs/contracts';
import { AnswersCommand, CommandRequest } from '@packs/messaging';
import { LOGGER, type Logger } from '@packs/observability';
import { QuarantineBlob } from './quarantine-blob';

@Controller()
export class QuarantineBlobHandler {
  constructor(
    private readonly quarantineBlob: QuarantineBlob,
    @Inject(LOGGER) private readonly logger: Logger,
  ) {}

  @AnswersCommand(QuarantineBlobCommand)
  async handle(@CommandRequest(QuarantineBlobCommand) request: QuarantineBlobRequest): Promise<QuarantineBlobReply> {
    const reply = await this.quarantineBlob.execute(request);
    const { digest, reporter } = request;
    const message = 'damage was reported';
    if (reply.outcome === 'quarantined') this.logger.error({ digest, reporter, outcome: reply.outcome }, message);
    else this.logger.warn({ digest, reporter, outcome: reply.outcome }, message);
    return reply;
  }
}
