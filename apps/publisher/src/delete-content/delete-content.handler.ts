import { Controller, Inject } from '@nestjs/common';
import { DeleteContent as DeleteContentCommand, type DeleteContentReply, type DeleteContentRequest } from '@packs/contracts';
import { AnswersCommand, CommandRequest } from '@packs/messaging';
import { LOGGER, type Logger } from '@packs/observability';
import { DeleteContent } from './delete-content';

@Controller()
export class DeleteContentHandler {
  constructor(
    private readonly deleteContent: DeleteContent,
    @Inject(LOGGER) private readonly logger: Logger,
  ) {}

  @AnswersCommand(DeleteContentCommand)
  async handle(@CommandRequest(DeleteContentCommand) request: DeleteContentRequest): Promise<DeleteContentReply> {
    const reply = await this.deleteContent.execute(request);
    const { repository, actor, tenant, target } = request;
    this.logger.info({ repository, actor, tenant, target, result: reply.outcome }, 'delete content');
    return reply;
  }
}
