import { aMirror, anEvent, FakeInventory, FakeMirrors } from '../mirror-worker.fixture';
import { PlanMirrors } from './plan-mirrors';

describe('PlanMirrors', () => {
  const all = aMirror({ id: 'all' });
  const other = aMirror({ id: 'other', name: 'other', selection: { packIds: ['bye'] } });
  const disabled = aMirror({ id: 'disabled', name: 'disabled', enabled: false });
  let mirrors: FakeMirrors;
  let woken: number;
  let plan: PlanMirrors;
  beforeEach(() => {
    mirrors = new FakeMirrors([all, other, disabled, aMirror({ id: 'foreign', tenant: 'globex' })]);
    woken = 0;
    plan = new PlanMirrors(mirrors, new FakeInventory(), () => (woken += 1));
  });
  const planned = (): string[] => mirrors.enqueued.map(({ mirrorId }) => mirrorId);

  it.each([
    'pack.version.published',
    'pack.version.promoted',
    'pack.version.deprecated',
    'pack.version.archived',
    'pack.signature.rotated',
    'pack.attestation.added',
  ])("asks after %s for a sync of the tenant's enabled mirrors that select the version", async type => {
    expect(await plan.execute(anEvent(type))).toBe(true);
    expect(planned()).toEqual(['all']);
    expect(mirrors.enqueued[0]).toMatchObject({ cause: 'event', verify: false, changedAt: new Date('2026-01-17T08:00:00.000Z') });
    expect(woken).toBe(1);
  });

  it('asks for all of them when the trust of any version may have changed', async () => {
    await plan.execute(anEvent('registry.trust.updated', { packId: null, version: null }));
    expect(planned()).toEqual(['all', 'other']);
  });

  it('takes an event once', async () => {
    await plan.execute(anEvent('pack.version.published'));
    expect(await plan.execute(anEvent('pack.version.published'))).toBe(false);
    expect(planned()).toEqual(['all']);
  });

  it.each(['pack.version.rejected', 'mirror.sync.completed', 'registry.policy.updated'])('asks for nothing after %s', async type => {
    expect(await plan.execute(anEvent(type))).toBe(false);
    expect([planned(), woken]).toEqual([[], 0]);
  });

  it('remembers that bytes were found altered, so that the next sync of that mirror verifies', async () => {
    const drift = (counts: object, mirrorId: string, id: string) =>
      plan.execute(anEvent('parity.drift.detected', { mirrorId, counts, packId: null, version: null }, id));
    expect(await drift({ 'different-digest': 1, 'missing-signature': 0, extra: 0 }, 'other', 'evt_1')).toBe(true);
    expect([mirrors.verifyDemanded, planned()]).toEqual([['other'], []]);
    expect(await drift({ 'different-digest': 1, 'missing-signature': 0, extra: 0 }, 'foreign', 'evt_2')).toBe(false);
    expect(await drift({ missing: 7, 'different-digest': 0, 'missing-signature': 0, extra: 0 }, 'all', 'evt_3')).toBe(false);
    expect(mirrors.verifyDemanded).toEqual(['other']);
  });
});
