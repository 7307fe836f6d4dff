import { PARITY_CONSUMER, type EventEnvelope, type MirrorRecord, type ParityDifference } from '@packs/contracts';
import type { MirrorReadModel, PackInventory, ParityTx, ParityUnitOfWork } from '@packs/ports';

/** What a change of a version makes of it at its mirrors until they are synced. */
const VERSION_EVENTS: ReadonlyMap<string, ParityDifference> = new Map([
  ['pack.version.published', 'missing'],
  ['pack.version.promoted', 'stale-state'],
  ['pack.version.deprecated', 'stale-state'],
  ['pack.version.archived', 'stale-state'],
  ['pack.version.withdrawn', 'stale-state'],
  ['pack.version.restored', 'missing'],
  ['pack.signature.rotated', 'missing-signature'],
  ['pack.attestation.added', 'missing-signature'],
  ['pack.referrer.added', 'missing-signature'],
  ['pack.referrer.removed', 'stale-state'],
]);
/** Any version may have lost or regained the trust it needs to be handed on. */
const TRUST_EVENT = 'registry.trust.updated';
const ACTOR = 'service:parity-worker';

type Effect = (tx: ParityTx) => Promise<unknown>;

/** Lets an event show at once: mirrors it puts out of step are so from then on, and a mirror that was synced is compared. */
export class PlanParity {
  constructor(
    private readonly unitOfWork: ParityUnitOfWork,
    private readonly mirrors: MirrorReadModel,
    private readonly inventory: PackInventory,
    private readonly wake: () => void,
  ) {}

  /** @returns false when the event had taken effect before or concerns no mirror */
  async execute(event: EventEnvelope): Promise<boolean> {
    const effects = await this.effectsOf(event);
    if (effects.length === 0) return false;
    const done = await this.unitOfWork.run(event.data.tenant, async tx => {
      if (!(await tx.inbox.register(PARITY_CONSUMER.name, event.id))) return false;
      for (const effect of effects) await effect(tx);
      return true;
    });
    if (done) this.wake();
    return done;
  }

  private async effectsOf(event: EventEnvelope): Promise<Effect[]> {
    const { type, data, time } = event;
    const { tenant, mirrorId, packId, version } = data;
    const changedAt = new Date(time);
    if (typeof mirrorId === 'string') return this.effectsAtMirror(event, mirrorId);
    if (type === TRUST_EVENT) {
      return (await this.compared(tenant)).map(mirror => tx => tx.markPending({ mirrorId: mirror.id, changedAt, version: null }));
    }
    const state = VERSION_EVENTS.get(type);
    if (!state || packId === null || version === null) return [];
    const concerned = await this.selecting(tenant, packId, version);
    return concerned.map(mirror => tx => tx.markPending({ mirrorId: mirror.id, changedAt, version: { packId, version, state } }));
  }

  private async effectsAtMirror({ id, type, data, time }: EventEnvelope, mirrorId: string): Promise<Effect[]> {
    if (type === 'mirror.removed') return [tx => tx.forget(mirrorId)];
    // An event that is replayed may speak of a mirror that went since.
    const mirror = await this.mirrors.find(data.tenant, mirrorId);
    if (!mirror || mirror.pull) return [];
    if (type === 'mirror.configured') return [tx => tx.markPending({ mirrorId, changedAt: new Date(time), version: null })];
    if (type !== 'mirror.sync.completed') return [];
    return [tx => tx.enqueue(mirrorId, { cause: 'event', depth: 'changes', requestedBy: ACTOR, source: id })];
  }

  private async selecting(tenant: string, packId: string, version: string): Promise<MirrorRecord[]> {
    const concerned: MirrorRecord[] = [];
    for (const mirror of await this.compared(tenant)) {
      if (await this.inventory.includes(tenant, mirror.selection, packId, version)) concerned.push(mirror);
    }
    return concerned;
  }

  /** Nothing of ours lies where a mirror pulls from. */
  private async compared(tenant: string): Promise<MirrorRecord[]> {
    return (await this.mirrors.list(tenant)).filter(({ pull }) => !pull);
  }
}
