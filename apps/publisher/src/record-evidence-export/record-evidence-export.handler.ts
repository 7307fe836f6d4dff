import { Controller, Inject } from '@nestjs/common';
import {
  RecordEvidenceExport as RecordEvidenceExportCommand,
  type RecordEvidenceExportReply,
  type RecordEvidenceExportRequest,
} from '@packs/contracts';
import { AnswersCommand, CommandRequest } from '@packs/messaging';
import { LOGGER, type Logger } from '@packs/observability';
import { RecordEvidenceExport } from './record-evidence-export';

@Controller()
export class RecordEvidenceExportHandler {
  constructor(
    private readonly recordEvidenceExport: RecordEvidenceExport,
    @Inject(LOGGER) private readonly logger: Logger,
  ) {}

  @AnswersCommand(RecordEvidenceExportCommand)
  async handle(@CommandRequest(RecordEvidenceExportCommand) request: RecordEvidenceExportRequest): Promise<RecordEvidenceExportReply> {
    const reply = await this.recordEvidenceExport.execute(request);
    const { packId, version, actor, tenant, seq } = request;
    this.logger.info({ packId, version, actor, tenant, seq }, 'evidence export');
    return reply;
  }
}
