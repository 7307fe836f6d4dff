import type { Clock, RegistryUnitOfWork } from '@packs/ports';
import { releaseClaim } from './release-claim';

const PAGE = 100;
const CAUSE = { actor: 'system:expiry', source: null, cause: 'time' } as const;

/** Frees the numbers of versions whose signatures have not come in time. Any replica may do it, and several at once: a claim ends once. */
export class ExpirePending {
  constructor(
    private readonly unitOfWork: RegistryUnitOfWork,
    private readonly clock: Clock,
  ) {}

  /** @returns how many ended */
  async execute(): Promise<number> {
    const now = this.clock.now();
    const due = await this.unitOfWork.run('', tx => tx.pendingVersions.due(now.toISOString(), PAGE));
    let ended = 0;
    for (const claim of due) {
      const released = await this.unitOfWork.run(claim.tenant, async tx => {
        await tx.repositories.lockPack(claim.tenant, claim.packId);
        return releaseClaim(tx, claim, CAUSE, now);
      });
      if (released) ended += 1;
    }
    return due.length === PAGE && ended > 0 ? ended + (await this.execute()) : ended;
  }
}
