import { Controller, Inject } from '@nestjs/common';
import { FetchArtifact as FetchArtifactCommand, type FetchArtifactReply, type FetchArtifactRequest } from '@packs/contracts';
import { AnswersCommand, CommandRequest } from '@packs/messaging';
import { LOGGER, type Logger } from '@packs/observability';
import { FetchArtifact } from './fetch-artifact';

@Controller()
export class FetchArtifactHandler {
  constructor(
    private readonly fetchArtifact: FetchArtifact,
    @Inject(LOGGER) private readonly logger: Logger,
  ) {}

  @AnswersCommand(FetchArtifactCommand)
  async handle(@CommandRequest(FetchArtifactCommand) request: FetchArtifactRequest): Promise<FetchArtifactReply> {
    const reply = await this.fetchArtifact.execute(request);
    const { tenant, actor, reference } = request;
    const { artifact, bundle, signatures } = reply;
    const manifestDigest = artifact.manifest.digest;
    this.logger.info({ tenant, actor, reference, manifestDigest, digest: bundle.digest, signatures: signatures.length }, 'fetch artifact');
    return reply;
  }
}
