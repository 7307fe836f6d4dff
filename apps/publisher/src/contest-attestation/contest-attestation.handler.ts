import { Controller, Inject } from '@nestjs/common';
import {
  ContestAttestation as ContestAttestationCommand,
  type ContestAttestationReply,
  type ContestAttestationRequest,
} from '@packs/contracts';
import { AnswersCommand, CommandRequest } from '@packs/messaging';
import { LOGGER, type Logger } from '@packs/observability';
import { ContestAttestation } from './contest-attestation';

@Controller()
export class ContestAttestationHandler {
  constructor(
    private readonly contestAttestation: ContestAttestation,
    @Inject(LOGGER) private readonly logger: Logger,
  ) {}

  @AnswersCommand(ContestAttestationCommand)
  async handle(@CommandRequest(ContestAttestationCommand) request: ContestAttestationRequest): Promise<ContestAttestationReply> {
    const reply = await this.contestAttestation.execute(request);
    const { packId, version, actor, tenant, digest, decision } = request;
    this.logger.info(
      { packId, version, actor, tenant, digest, decision, state: reply.state, changed: reply.changed },
      'contest attestation',
    );
    return reply;
  }
}
