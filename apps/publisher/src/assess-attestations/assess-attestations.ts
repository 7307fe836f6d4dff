import type { AssessmentDue, AttestationName, Clock, CommandBus, RegistryTx, RegistryUnitOfWork } from '@packs/ports';
import type { AddAttestation } from '../add-attestation/add-attestation';
import { basisOf } from '../add-attestation/keep-provisional';
import { lockVersion } from '../deprecate-version/lock-version';
import { judgeAndCommit } from '../judgement/judge-and-commit';
import { judgeStanding, type NextState } from './judge-standing';
import { reassess } from './reassess';

const TENANTS = 100;
const PAGE = 100;
const BY = { by: 'system:assessment', source: null } as const;

/**
 * Judges what is attested again where trust or policies have changed: what lost its signers is provisional, what gained them is verified. What is
 * contested stays so. Reads do not wait for it: they judge for themselves. Any replica may do it, and several at once: under the pack's lock a change
 * happens once.
 */
export class AssessAttestations {
  constructor(
    private readonly unitOfWork: RegistryUnitOfWork,
    private readonly commands: CommandBus,
    private readonly addAttestation: AddAttestation,
    private readonly clock: Clock,
  ) {}

  /** @returns how many were judged. @throws what kept one from being judged, once every tenant had its turn */
  async execute(signal?: AbortSignal): Promise<number> {
    let judged = 0;
    const faults: unknown[] = [];
    for (const due of await this.unitOfWork.run('', tx => tx.attestationStates.due(TENANTS))) {
      try {
        judged += await this.workOff(due, signal);
      } catch (error) {
        faults.push(error);
      }
    }
    if (faults.length > 0) throw faults[0];
    return judged;
  }

  private async workOff(due: AssessmentDue, signal: AbortSignal | undefined): Promise<number> {
    let before = new Set<string>();
    for (let judged = 0; ;) {
      const stale = await this.stale(due.tenant);
      if (stale.length === 0) {
        await this.unitOfWork.run(due.tenant, tx => tx.attestationStates.settle(due));
        return judged;
      }
      const names = stale.map(({ recorded, packId, version, digest }) => [recorded, packId, version, digest].join(' '));
      // What stays stale although it was judged is due still: the next run tries again.
      if (names.every(name => before.has(name))) return judged;
      before = new Set(names);
      for (const { recorded, ...name } of stale) {
        if (signal?.aborted) return judged;
        await (recorded ? this.assess(name) : this.tryAgain(name));
        judged += 1;
      }
    }
  }

  private stale(tenant: string) {
    return this.unitOfWork.run(tenant, async tx => {
      const trust = await tx.trust.state(tenant, 'none');
      return tx.attestationStates.stale(tenant, trust.epoch, basisOf(trust), PAGE);
    });
  }

  private async assess(name: AttestationName): Promise<void> {
    const { tenant, packId, version } = name;
    const begin = await this.unitOfWork.run(tenant, async tx => ({
      existing: await tx.packs.findVersion(tenant, packId, version),
      standing: await tx.attestationStates.standing(name),
      trust: await tx.trust.state(tenant, 'none'),
    }));
    const { existing, standing } = begin;
    if (!existing || !standing) return;
    await judgeAndCommit<NextState, void>(this.unitOfWork, {
      tenant,
      trust: begin.trust,
      judge: async trust => {
        const evaluatedAt = this.clock.now().toISOString();
        return { judged: await judgeStanding(this.commands, { tenant, existing, standing, trust, evaluatedAt }) };
      },
      commit: (tx, next, { epoch }) => this.commit(tx, name, next, epoch),
    });
  }

  private async commit(tx: RegistryTx, name: AttestationName, next: NextState, epoch: number): Promise<void> {
    const existing = await lockVersion(tx, name.tenant, name.packId, name.version);
    const standing = await tx.attestationStates.standing(name);
    if (!standing || standing.assessedEpoch >= epoch) return;
    const { recorded } = standing;
    const isSame = recorded.state === next.state && recorded.stateReason === next.reason;
    if (recorded.state === 'contested' || isSame) return tx.attestationStates.assessed(name, epoch);
    await reassess(tx, { tenant: name.tenant, existing, recorded, ...BY }, next, this.clock.now());
  }

  /** As if it were sent once more by whoever had sent it. */
  private async tryAgain(name: AttestationName): Promise<void> {
    const kept = await this.unitOfWork.run(name.tenant, tx => tx.attestationStates.provisional(name));
    if (!kept) return;
    const { tenant, packId, version, document: attestation, addedBy: actor, source } = kept;
    await this.addAttestation.execute({ tenant, packId, version, attestation, actor, source, provisional: true });
  }
}
