import { Controller } from '@nestjs/common';
import { ReplayDeadLetter as ReplayDeadLetterCommand, type ReplayDeadLetterReply, type ReplayDeadLetterRequest } from '@packs/contracts';
import { AnswersCommand, CommandRequest } from '@packs/messaging';
import { ReplayDeadLetter } from './replay-dead-letter';

@Controller()
export class ReplayDeadLetterHandler {
  constructor(private readonly replayDeadLetter: ReplayDeadLetter) {}

  @AnswersCommand(ReplayDeadLetterCommand)
  handle(@CommandRequest(ReplayDeadLetterCommand) request: ReplayDeadLetterRequest): Promise<ReplayDeadLetterReply> {
    return this.replayDeadLetter.execute(request);
  }
}
