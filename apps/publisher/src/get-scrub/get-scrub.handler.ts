import { Controller } from '@nestjs/common';
import { GetScrub as GetScrubCommand, type ScrubReply, type ScrubRequest } from '@packs/contracts';
import { AnswersCommand, CommandRequest } from '@packs/messaging';
import { GetScrub } from './get-scrub';

@Controller()
export class GetScrubHandler {
  constructor(private readonly getScrub: GetScrub) {}

  @AnswersCommand(GetScrubCommand)
  handle(@CommandRequest(GetScrubCommand) request: ScrubRequest): Promise<ScrubReply> {
    return this.getScrub.execute(request);
  }
}
