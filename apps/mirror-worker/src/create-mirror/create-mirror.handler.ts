import { Controller, Inject } from '@nestjs/common';
import { CreateMirror as CreateMirrorCommand, type CreateMirrorReply, type CreateMirrorRequest } from '@packs/contracts';
import { AnswersCommand, CommandRequest } from '@packs/messaging';
import { LOGGER, type Logger } from '@packs/observability';
import { CreateMirror } from './create-mirror';

@Controller()
export class CreateMirrorHandler {
  constructor(
    private readonly createMirror: CreateMirror,
    @Inject(LOGGER) private readonly logger: Logger,
  ) {}

  @AnswersCommand(CreateMirrorCommand)
  async handle(@CommandRequest(CreateMirrorCommand) request: CreateMirrorRequest): Promise<CreateMirrorReply> {
    const reply = await this.createMirror.execute(request);
    const { tenant, actor } = request;
    this.logger.info({ tenant, actor, mirror: reply.mirror.id, name: reply.mirror.name }, 'create mirror');
    return reply;
  }
}
