import { Controller, Inject } from '@nestjs/common';
import {
  VerifyAttestation as VerifyAttestationCommand,
  type VerifyAttestationReply,
  type VerifyAttestationRequest,
} from '@packs/contracts';
import { AnswersCommand, CommandRequest } from '@packs/messaging';
import { LOGGER, type Logger } from '@packs/observability';
import { VerifyAttestation } from './verify-attestation';

@Controller()
export class VerifyAttestationHandler {
  constructor(
    private readonly verifyAttestation: VerifyAttestation,
    @Inject(LOGGER) private readonly logger: Logger,
  ) {}

  @AnswersCommand(VerifyAttestationCommand)
  async handle(@CommandRequest(VerifyAttestationCommand) request: VerifyAttestationRequest): Promise<VerifyAttestationReply> {
    const reply = await this.verifyAttestation.execute(request);
    const { tenant, attestation, subject, trust } = request;
    const { predicateType, verdict } = reply;
    this.logger.info(
      { tenant, digest: attestation.digest, bundle: subject.bundle, epoch: trust.epoch, predicateType, outcome: verdict.outcome },
      'verify attestation',
    );
    return reply;
  }
}
