import { Controller } from '@nestjs/common';
import { ReplaceBlob as ReplaceBlobCommand, type ReplaceBlobReply, type ReplaceBlobRequest } from '@packs/contracts';
import { AnswersCommand, CommandRequest } from '@packs/messaging';
import { ReplaceBlob } from './replace-blob';

@Controller()
export class ReplaceBlobHandler {
  constructor(private readonly replaceBlob: ReplaceBlob) {}

  @AnswersCommand(ReplaceBlobCommand)
  handle(@CommandRequest(ReplaceBlobCommand) request: ReplaceBlobRequest): Promise<ReplaceBlobReply> {
    return this.replaceBlob.execute(request);
  }
}
