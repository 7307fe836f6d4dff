import type { ContestAttestationReply, ContestAttestationRequest } from '@packs/contracts';
import { DomainError } from '@packs/domain';
import type { Clock, CommandBus, RecordedAttestation, RegistryTx, RegistryUnitOfWork, StandingAttestation } from '@packs/ports';
import { judgeStanding } from '../assess-attestations/judge-standing';
import { reassess } from '../assess-attestations/reassess';
import { lockVersion } from '../deprecate-version/lock-version';
import { judgeAndCommit } from '../judgement/judge-and-commit';

/** Takes an approver's word that an attestation is not to be relied on, whatever its signature is worth; and that it is again. */
export class ContestAttestation {
  constructor(
    private readonly unitOfWork: RegistryUnitOfWork,
    private readonly commands: CommandBus,
    private readonly clock: Clock,
  ) {}

  /** @throws DomainError ERR_PACK_NOT_FOUND */
  execute(request: ContestAttestationRequest): Promise<ContestAttestationReply> {
    return request.decision === 'contest' ? this.contest(request) : this.uphold(request);
  }

  private contest(request: ContestAttestationRequest): Promise<ContestAttestationReply> {
    const { tenant, packId, version, actor: by, source, reason } = request;
    return this.unitOfWork.run(tenant, async tx => {
      const existing = await lockVersion(tx, tenant, packId, version);
      const { recorded } = await find(tx, request);
      if (recorded.state === 'contested') return unchanged(recorded);
      const next = { state: 'contested', reason, judged: null } as const;
      await reassess(tx, { tenant, existing, recorded, by, source }, next, this.clock.now());
      return { digest: recorded.digest, state: 'contested', stateReason: reason, changed: true };
    });
  }

  /** What is no longer contested counts for as much as its signers do now. */
  private async uphold(request: ContestAttestationRequest): Promise<ContestAttestationReply> {
    const { tenant, packId, version, actor: by, source } = request;
    const begin = await this.unitOfWork.run(tenant, async tx => ({
      existing: await lockVersion(tx, tenant, packId, version),
      standing: await find(tx, request),
      trust: await tx.trust.state(tenant, 'none'),
    }));
    return judgeAndCommit(this.unitOfWork, {
      tenant,
      trust: begin.trust,
      judge: async trust => ({
        judged: await judgeStanding(this.commands, { ...begin, tenant, trust, evaluatedAt: this.clock.now().toISOString() }),
      }),
      commit: async (tx, next) => {
        const existing = await lockVersion(tx, tenant, packId, version);
        const { recorded } = await find(tx, request);
        if (recorded.state !== 'contested') return unchanged(recorded);
        const told = { ...next, reason: next.reason ?? request.reason };
        await reassess(tx, { tenant, existing, recorded, by, source }, told, this.clock.now());
        return { digest: recorded.digest, state: next.state, stateReason: next.reason, changed: true };
      },
    });
  }
}

async function find(tx: RegistryTx, { tenant, packId, version, digest }: ContestAttestationRequest): Promise<StandingAttestation> {
  const standing = await tx.attestationStates.standing({ tenant, packId, version, digest });
  if (standing) return standing;
  throw new DomainError('ERR_PACK_NOT_FOUND', `no attestation ${digest} of ${packId} ${version}`);
}

function unchanged({ digest, state, stateReason }: RecordedAttestation): ContestAttestationReply {
  return { digest, state, stateReason, changed: false };
}
