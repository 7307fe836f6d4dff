import { Controller, Inject } from '@nestjs/common';
import { VerifyBundle as VerifyBundleCommand, type VerifyBundleReply, type VerifyBundleRequest } from '@packs/contracts';
import { AnswersCommand, CommandRequest } from '@packs/messaging';
import { LOGGER, type Logger } from '@packs/observability';
import { VerifyBundle } from './verify-bundle';

@Controller()
export class VerifyBundleHandler {
  constructor(
    private readonly verifyBundle: VerifyBundle,
    @Inject(LOGGER) private readonly logger: Logger,
  ) {}

  @AnswersCommand(VerifyBundleCommand)
  async handle(@CommandRequest(VerifyBundleCommand) request: VerifyBundleRequest): Promise<VerifyBundleReply> {
    const reply = await this.verifyBundle.execute(request);
    const { tenant, bundle } = request;
    const named = reply.pack ?? request;
    this.logger.info(
      { packId: named.packId, version: named.version, tenant, digest: bundle.digest, outcome: reply.verdict.outcome },
      'verify bundle',
    );
    return reply;
  }
}
