import { Controller } from '@nestjs/common';
import {
  StartReverification as StartReverificationCommand,
  type StartReverificationReply,
  type StartReverificationRequest,
} from '@packs/contracts';
import { AnswersCommand, CommandRequest } from '@packs/messaging';
import { StartReverification } from './start-reverification';

@Controller()
export class StartReverificationHandler {
  constructor(private readonly startReverification: StartReverification) {}

  @AnswersCommand(StartReverificationCommand)
  handle(@CommandRequest(StartReverificationCommand) request: StartReverificationRequest): Promise<StartReverificationReply> {
    return this.startReverification.execute(request);
  }
}
