import { Controller, Inject } from '@nestjs/common';
import { AddAttestation as AddAttestationCommand, type AddAttestationReply, type AddAttestationRequest } from '@packs/contracts';
import { AnswersCommand, CommandRequest } from '@packs/messaging';
import { LOGGER, type Logger } from '@packs/observability';
import { AddAttestation } from './add-attestation';
import { AttestClaim } from './attest-claim';

@Controller()
export class AddAttestationHandler {
  constructor(
    private readonly attestClaim: AttestClaim,
    private readonly addAttestation: AddAttestation,
    @Inject(LOGGER) private readonly logger: Logger,
  ) {}

  @AnswersCommand(AddAttestationCommand)
  async handle(@CommandRequest(AddAttestationCommand) request: AddAttestationRequest): Promise<AddAttestationReply> {
    const reply = (await this.attestClaim.execute(request)) ?? (await this.addAttestation.execute(request));
    const { packId, version, actor, tenant, attestation } = request;
    this.logger.info({ packId, version, actor, tenant, digest: attestation.digest, result: reply.outcome }, 'add attestation');
    return reply;
  }
}
