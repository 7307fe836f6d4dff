import { Controller, Inject } from '@nestjs/common';
import { DeleteMirror as DeleteMirrorCommand, type DeleteMirrorReply, type DeleteMirrorRequest } from '@packs/contracts';
import { AnswersCommand, CommandRequest } from '@packs/messaging';
import { LOGGER, type Logger } from '@packs/observability';
import { DeleteMirror } from './delete-mirror';

@Controller()
export class DeleteMirrorHandler {
  constructor(
    private readonly deleteMirror: DeleteMirror,
    @Inject(LOGGER) private readonly logger: Logger,
  ) {}

  @AnswersCommand(DeleteMirrorCommand)
  async handle(@CommandRequest(DeleteMirrorCommand) request: DeleteMirrorRequest): Promise<DeleteMirrorReply> {
    const reply = await this.deleteMirror.execute(request);
    const { tenant, actor } = request;
    this.logger.info({ tenant, actor, mirror: request.id }, 'delete mirror');
    return reply;
  }
}
