import { MIRROR_CONSUMER, type EventEnvelope, type MirrorRecord, type ParityDriftDetected } from '@packs/contracts';
import type { MirrorUnitOfWork, PackInventory } from '@packs/ports';

/** A version has changed: its mirrors do not show it as it is. */
const VERSION_EVENTS: ReadonlySet<string> = new Set([
  'pack.version.published',
  'pack.version.promoted',
  'pack.version.deprecated',
  'pack.version.archived',
  'pack.version.withdrawn',
  'pack.version.restored',
  'pack.signature.rotated',
  'pack.attestation.added',
  'pack.referrer.added',
  'pack.referrer.removed',
]);
/** Any version may have lost or regained the trust it needs to be handed on. */
const TENANT_EVENTS: ReadonlySet<string> = new Set(['registry.trust.updated']);
const DRIFT_EVENT = 'parity.drift.detected';
/** Differences that a sync finds only by looking at everything that lies at the mirror. */
const ALTERED = ['different-digest', 'missing-signature', 'extra'] as const;
const ACTOR = 'service:mirror-worker';

type ParityDrift = (typeof ParityDriftDetected)['data']['static'];

/** Asks for a sync of every mirror that an event concerns. Events that come while a job is queued are brought along by it. */
export class PlanMirrors {
  constructor(
    private readonly unitOfWork: MirrorUnitOfWork,
    private readonly inventory: PackInventory,
    private readonly wake: () => void,
  ) {}

  /** @returns false when the event had taken effect before or concerns no mirror */
  async execute(event: EventEnvelope): Promise<boolean> {
    if (event.type === DRIFT_EVENT) return this.rememberDrift(event);
    if (!VERSION_EVENTS.has(event.type) && !TENANT_EVENTS.has(event.type)) return false;
    const concerned = await this.concernedBy(event);
    if (concerned.length === 0) return false;
    const planned = await this.unitOfWork.run(event.data.tenant, async tx => {
      if (!(await tx.inbox.register(MIRROR_CONSUMER.name, event.id))) return false;
      for (const mirror of concerned) {
        const current = await tx.mirrors.find(event.data.tenant, mirror.id);
        if (!current?.enabled) continue;
        const changedAt = new Date(event.time);
        await tx.jobs.enqueue(event.data.tenant, mirror.id, {
          cause: 'event',
          requestedBy: ACTOR,
          source: event.id,
          verify: false,
          changedAt,
        });
      }
      return true;
    });
    if (planned) this.wake();
    return planned;
  }

  private async concernedBy({ type, data }: EventEnvelope): Promise<MirrorRecord[]> {
    const mirrors = await this.unitOfWork.run(data.tenant, tx => tx.mirrors.list(data.tenant));
    const concerned: MirrorRecord[] = [];
    for (const mirror of mirrors) {
      if (mirror.enabled && !mirror.pull && (TENANT_EVENTS.has(type) || (await this.selects(mirror, data)))) concerned.push(mirror);
    }
    return concerned;
  }

  private async selects({ tenant, selection }: MirrorRecord, { packId, version }: EventEnvelope['data']): Promise<boolean> {
    return packId !== null && version !== null && (await this.inventory.includes(tenant, selection, packId, version));
  }

  /** Bytes at a mirror were found altered: its next sync has to read them all. */
  private async rememberDrift({ id, data }: EventEnvelope): Promise<boolean> {
    const { tenant, mirrorId } = data;
    const counts = data['counts'] as ParityDrift['counts'];
    if (!ALTERED.some(kind => counts[kind] > 0)) return false;
    return this.unitOfWork.run(tenant, async tx => {
      if (typeof mirrorId !== 'string' || !(await tx.mirrors.find(tenant, mirrorId))) return false;
      if (!(await tx.inbox.register(MIRROR_CONSUMER.name, id))) return false;
      await tx.mirrors.demandVerify(tenant, mirrorId);
      return true;
    });
  }
}
