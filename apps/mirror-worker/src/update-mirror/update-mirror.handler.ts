import { Controller, Inject } from '@nestjs/common';
import { UpdateMirror as UpdateMirrorCommand, type UpdateMirrorReply, type UpdateMirrorRequest } from '@packs/contracts';
import { AnswersCommand, CommandRequest } from '@packs/messaging';
import { LOGGER, type Logger } from '@packs/observability';
import { UpdateMirror } from './update-mirror';

@Controller()
export class UpdateMirrorHandler {
  constructor(
    private readonly updateMirror: UpdateMirror,
    @Inject(LOGGER) private readonly logger: Logger,
  ) {}

  @AnswersCommand(UpdateMirrorCommand)
  async handle(@CommandRequest(UpdateMirrorCommand) request: UpdateMirrorRequest): Promise<UpdateMirrorReply> {
    const reply = await this.updateMirror.execute(request);
    const { tenant, actor } = request;
    this.logger.info({ tenant, actor, mirror: request.id, changed: reply.changed }, 'update mirror');
    return reply;
  }
}
