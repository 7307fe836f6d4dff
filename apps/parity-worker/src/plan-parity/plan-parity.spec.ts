import type { EventEnvelope, MirrorRecord } from '@packs/contracts';
import { sha256 } from '@packs/domain';
import {
  Inbox,
  MirrorReadModel,
  PackInventory,
  ParityUnitOfWork,
  type ComparisonCause,
  type InventoryHead,
  type InventoryVersion,
  type ParityTx,
  type PendingChange,
} from '@packs/ports';
import { PlanParity } from './plan-parity';

const AT = '2026-01-17T08:00:00.000Z';

class Mirrors extends MirrorReadModel {
  private readonly all = ['north', 'south'].map(id => ({ id, tenant: 'acme', selection: { packIds: [id] } }) as MirrorRecord);
  list = (tenant: string) => Promise.resolve(this.all.filter(mirror => mirror.tenant === tenant));
  find = (tenant: string, id: string) => Promise.resolve(this.all.find(mirror => mirror.tenant === tenant && mirror.id === id));
  jobs = () => Promise.resolve({ jobs: [], next: null });
  job = () => Promise.resolve(undefined);
}

/** A mirror selects the pack of its own name. */
class Inventory extends PackInventory {
  async *versions(): AsyncIterable<InventoryVersion> {}
  heads = (): Promise<InventoryHead[]> => Promise.resolve([]);
  includes = (_: string, { packIds }: { packIds?: string[] }, packId: string) => Promise.resolve(packIds?.includes(packId) ?? true);
  size = () => Promise.resolve({ versions: 0, bytes: 0 });
}

class SeenOnce extends Inbox {
  private readonly seen = new Set<string>();

  register(_consumer: string, id: string): Promise<boolean> {
    return Promise.resolve(!this.seen.has(id) && Boolean(this.seen.add(id)));
  }
}

/** Writes down what it is told to do. */
class Effects extends ParityUnitOfWork {
  readonly done: unknown[] = [];
  private readonly inbox = new SeenOnce();

  run<T>(_: string, work: (tx: ParityTx) => Promise<T>): Promise<T> {
    const note = (what: unknown): Promise<never> => Promise.resolve(void this.done.push(what)) as Promise<never>;
    return work({
      enqueue: (mirrorId: string, { cause, depth }: ComparisonCause) => note({ compare: mirrorId, cause, depth }),
      markPending: ({ mirrorId, version, changedAt }: PendingChange) => note({ pending: mirrorId, version, at: changedAt.toISOString() }),
      forget: mirrorId => note({ forget: mirrorId }),
      inbox: this.inbox,
    });
  }
}

function anEvent(type: string, data: object = {}): EventEnvelope {
  const origin = {
    id: `evt_${type}`,
    type,
    packId: null,
    version: null,
    actor: 'user:alice',
    tenant: 'acme',
    source: null,
    signatures: [],
  };
  return { id: origin.id, type, time: AT, data: { ...origin, metadataHash: sha256('state'), ...data } } as unknown as EventEnvelope;
}

describe('PlanParity', () => {
  let effects: Effects;
  let wakes: number;
  let plan: PlanParity;
  beforeEach(() => {
    effects = new Effects();
    wakes = 0;
    plan = new PlanParity(effects, new Mirrors(), new Inventory(), () => (wakes += 1));
  });

  it.each([
    ['pack.version.published', 'missing'],
    ['pack.version.promoted', 'stale-state'],
    ['pack.version.deprecated', 'stale-state'],
    ['pack.version.archived', 'stale-state'],
    ['pack.attestation.added', 'missing-signature'],
  ])('puts the mirrors that select the version of a %s out of step', async (type, state) => {
    expect(await plan.execute(anEvent(type, { packId: 'north', version: '1.0.0' }))).toBe(true);
    expect(effects.done).toEqual([{ pending: 'north', version: { packId: 'north', version: '1.0.0', state }, at: AT }]);
  });

  it('puts every mirror of the tenant out of step when its trust changes', async () => {
    await plan.execute(anEvent('registry.trust.updated'));
    expect(effects.done).toEqual(['north', 'south'].map(pending => ({ pending, version: null, at: AT })));
  });

  it('compares a mirror that was synced', async () => {
    await plan.execute(anEvent('mirror.sync.completed', { mirrorId: 'north' }));
    expect([effects.done, wakes]).toEqual([[{ compare: 'north', cause: 'event', depth: 'changes' }], 1]);
  });

  it('does not know how a mirror with other settings stands, and forgets one that went', async () => {
    await plan.execute(anEvent('mirror.configured', { mirrorId: 'south' }));
    await plan.execute(anEvent('mirror.removed', { mirrorId: 'gone' }));
    expect(effects.done).toEqual([{ pending: 'south', version: null, at: AT }, { forget: 'gone' }]);
  });

  it.each([
    ['of a pack no mirror selects', anEvent('pack.version.published', { packId: 'other', version: '1.0.0' })],
    ['of a tenant without mirrors', anEvent('registry.trust.updated', { tenant: 'globex' })],
    ['of a mirror that went', anEvent('mirror.sync.completed', { mirrorId: 'gone' })],
    ['that changes nothing that is mirrored', anEvent('registry.policy.updated')],
    ['of its own', anEvent('parity.drift.detected', { mirrorId: 'north' })],
  ])('lets an event %s pass', async (_, event) => {
    expect(await plan.execute(event)).toBe(false);
    expect([effects.done, wakes]).toEqual([[], 0]);
  });

  it('gives an event its effect once', async () => {
    const event = anEvent('mirror.sync.completed', { mirrorId: 'north' });
    expect([await plan.execute(event), await plan.execute(event)]).toEqual([true, false]);
    expect([effects.done.length, wakes]).toEqual([1, 1]);
  });
});
