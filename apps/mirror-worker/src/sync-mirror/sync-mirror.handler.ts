import { Controller, Inject } from '@nestjs/common';
import { SyncMirror as SyncMirrorCommand, type SyncMirrorReply, type SyncMirrorRequest } from '@packs/contracts';
import { AnswersCommand, CommandRequest } from '@packs/messaging';
import { LOGGER, type Logger } from '@packs/observability';
import { SyncMirror } from './sync-mirror';

@Controller()
export class SyncMirrorHandler {
  constructor(
    private readonly syncMirror: SyncMirror,
    @Inject(LOGGER) private readonly logger: Logger,
  ) {}

  @AnswersCommand(SyncMirrorCommand)
  async handle(@CommandRequest(SyncMirrorCommand) request: SyncMirrorRequest): Promise<SyncMirrorReply> {
    const reply = await this.syncMirror.execute(request);
    const { tenant, actor } = request;
    this.logger.info({ tenant, actor, mirror: request.id, job: reply.job.id, verify: request.verify }, 'sync mirror');
    return reply;
  }
}
