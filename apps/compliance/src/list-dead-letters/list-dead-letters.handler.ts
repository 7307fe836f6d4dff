import { Controller } from '@nestjs/common';
import { ListDeadLetters, type ListDeadLettersReply, type ListDeadLettersRequest } from '@packs/contracts';
import { AnswersCommand, CommandRequest } from '@packs/messaging';
import { DeadLetters } from '@packs/ports';

@Controller()
export class ListDeadLettersHandler {
  constructor(private readonly deadLetters: DeadLetters) {}

  @AnswersCommand(ListDeadLetters)
  handle(@CommandRequest(ListDeadLetters) { tenant, after, limit }: ListDeadLettersRequest): Promise<ListDeadLettersReply> {
    return this.deadLetters.list(tenant, after, limit);
  }
}
