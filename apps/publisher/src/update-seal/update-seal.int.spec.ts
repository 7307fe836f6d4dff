import { createDataSource, PostgresMirrorUnitOfWork } from '@packs/persistence';
import { unsealedOnly, type RegistryTx } from '@packs/ports';
import { ApproveUnseal } from '../approve-unseal/approve-unseal';
import { JudgingPublisher } from '../judging-publisher.fixture';
import { UpdateVisibility } from '../update-visibility/update-visibility';
import { UpdateSeal } from './update-seal';

/** Resolves once somebody waits for the lock of a seal. */
async function somebodyWaits(publisher: JudgingPublisher): Promise<void> {
  for (;;) {
    const rows: unknown[] = await publisher.dataSource.query(`select 1 from pg_locks where locktype = 'advisory' and not granted`);
    if (rows.length > 0) return;
  }
}

describe('UpdateSeal', () => {
  let publisher: JudgingPublisher;
  beforeAll(async () => {
    publisher = await JudgingPublisher.open();
  });
  afterAll(() => publisher.close());
  beforeEach(() => publisher.anew());

  const seal = (sealed = true, actor = 'user:alice', byConfiguration = false) =>
    new UpdateSeal(publisher.unitOfWork, publisher.clock, byConfiguration).execute({
      ...publisher.origin,
      actor,
      sealed,
      reason: `by ${actor}`,
    });
  const approve = (actor: string, byConfiguration = false) =>
    new ApproveUnseal(publisher.unitOfWork, publisher.clock, byConfiguration).execute({ ...publisher.origin, actor });
  const guarded = (byConfiguration = false) => unsealedOnly(publisher.unitOfWork, byConfiguration);
  const share = (shareWith: string[], byConfiguration = false) =>
    new UpdateVisibility(guarded(byConfiguration), publisher.clock).execute({ ...publisher.origin, shareWith });
  const told = async () => {
    const types = ['registry.sealed', 'registry.unseal.requested', 'registry.unseal.approved', 'registry.unsealed'];
    const events = await Promise.all(types.map(type => publisher.events(type)));
    return Object.fromEntries(types.map((type, at) => [type, events[at]?.length]));
  };
  const stored = async () => (await publisher.rows<{ sealed: boolean }>(`select sealed from registry.seals`))[0]?.sealed;

  it('seals, unseals by two others, and each step is told with the whole state', async () => {
    expect(await seal()).toMatchObject({
      changed: true,
      seal: { sealed: true, by: 'api', changedBy: 'user:alice', reason: 'by user:alice' },
    });
    await expect(share(['globex'])).rejects.toMatchObject({ code: 'ERR_PACK_SEALED', details: { sealedBy: 'api' } });
    publisher.clock.advance(1_000);
    expect(await seal(false, 'user:bob')).toMatchObject({
      changed: true,
      seal: { sealed: true, pendingUnseal: { requestedBy: 'user:bob', approvals: [] } },
    });
    await expect(approve('user:bob')).rejects.toMatchObject({ code: 'ERR_PACK_APPROVAL' });
    await approve('user:carol');
    await expect(approve('user:carol')).rejects.toMatchObject({ code: 'ERR_PACK_APPROVAL' });
    await expect(share(['globex'])).rejects.toMatchObject({ code: 'ERR_PACK_SEALED' });
    expect(await approve('user:dave')).toMatchObject({ seal: { sealed: false, by: null, changedBy: 'user:bob', pendingUnseal: null } });
    expect(await share(['globex'])).toMatchObject({ changed: true });
    expect(await told()).toEqual({
      'registry.sealed': 1,
      'registry.unseal.requested': 1,
      'registry.unseal.approved': 1,
      'registry.unsealed': 1,
    });
    const [event] = await publisher.events('registry.unsealed');
    expect(event?.data).toMatchObject({
      tenant: publisher.tenant,
      actor: 'user:dave',
      seal: { sealed: false },
      request: { requestedBy: 'user:bob', approvals: [{ by: 'user:carol' }, { by: 'user:dave' }] },
    });
  });

  it('changes and tells nothing when it is so already', async () => {
    expect(await seal(false)).toMatchObject({ changed: false, seal: { sealed: false, since: null } });
    await seal();
    expect(await seal(true, 'user:bob')).toMatchObject({ changed: false, seal: { changedBy: 'user:alice' } });
    expect(await told()).toMatchObject({ 'registry.sealed': 1, 'registry.unseal.requested': 0 });
  });

  it('takes an open request back by sealing again', async () => {
    await seal();
    await seal(false, 'user:bob');
    expect(await seal()).toMatchObject({ changed: true, seal: { sealed: true, pendingUnseal: null } });
    await expect(approve('user:carol')).rejects.toMatchObject({ code: 'ERR_PACK_NOT_FOUND' });
    expect(await told()).toMatchObject({ 'registry.sealed': 2 });
  });

  it('forgets a request after a day', async () => {
    await seal();
    await seal(false, 'user:bob');
    publisher.clock.advance(24 * 3_600_000);
    await expect(approve('user:carol')).rejects.toMatchObject({ code: 'ERR_PACK_NOT_FOUND' });
    expect(await seal(false, 'user:erin')).toMatchObject({ seal: { pendingUnseal: { requestedBy: 'user:erin' } } });
  });

  it('counts approvals given at the same moment one after the other', async () => {
    await seal();
    await seal(false, 'user:bob');
    const replies = await Promise.allSettled(['user:carol', 'user:carol', 'user:carol'].map(actor => approve(actor)));
    expect(replies.filter(({ status }) => status === 'fulfilled')).toHaveLength(1);
    expect(await stored()).toBe(true);
    await approve('user:dave');
    expect(await stored()).toBe(false);
  });

  it('is another tenant’s in nothing', async () => {
    await seal();
    publisher.anew();
    expect(await share(['globex'])).toMatchObject({ changed: true });
    await expect(approve('user:carol')).rejects.toMatchObject({ code: 'ERR_PACK_NOT_FOUND' });
  });

  describe('by configuration', () => {
    it('refuses every change without a look at the database, and cannot be undone', async () => {
      await expect(share(['globex'], true)).rejects.toMatchObject({ code: 'ERR_PACK_SEALED', details: { sealedBy: 'configuration' } });
      await expect(seal(false, 'user:bob', true)).rejects.toMatchObject({
        code: 'ERR_PACK_SEALED',
        details: { sealedBy: 'configuration' },
      });
      await expect(approve('user:carol', true)).rejects.toMatchObject({ code: 'ERR_PACK_SEALED' });
      expect(await seal(true, 'user:bob', true)).toMatchObject({ changed: false, seal: { sealed: true, by: 'configuration' } });
      expect(await stored()).toBeUndefined();
    });
  });

  describe('beside a change that is under way', () => {
    it('waits for one that came first: what that committed is before the seal', async () => {
      let finish = (): void => undefined;
      const held = new Promise<void>(resolve => (finish = resolve));
      const order: string[] = [];
      let entered = (): void => undefined;
      const inside = new Promise<void>(resolve => (entered = resolve));
      const change = guarded()
        .run(publisher.tenant, async (tx: RegistryTx) => {
          await tx.trust.state(publisher.tenant, 'update');
          entered();
          await held;
          await tx.trust.setShareWith(publisher.tenant, ['globex']);
          order.push('change');
        })
        .then(() => undefined);
      await inside;
      const sealing = seal().then(() => order.push('sealed'));
      await somebodyWaits(publisher);
      expect(await stored()).toBeUndefined();
      finish();
      await Promise.all([change, sealing]);
      expect(order).toEqual(['change', 'sealed']);
    });

    it('that came first itself, refuses the one that waited for it', async () => {
      let commit = (): void => undefined;
      const held = new Promise<void>(resolve => (commit = resolve));
      let entered = (): void => undefined;
      const inside = new Promise<void>(resolve => (entered = resolve));
      const sealing = publisher.unitOfWork.run(publisher.tenant, async tx => {
        const now = publisher.clock.now().toISOString();
        await tx.seal.lock(publisher.tenant);
        await tx.seal.put(publisher.tenant, {
          sealed: true,
          by: 'api',
          since: now,
          changedBy: 'user:alice',
          reason: 'x',
          pendingUnseal: null,
        });
        entered();
        await held;
      });
      await inside;
      const change = share(['globex']);
      change.catch(() => undefined);
      await somebodyWaits(publisher);
      commit();
      await sealing;
      await expect(change).rejects.toMatchObject({ code: 'ERR_PACK_SEALED' });
      expect(await publisher.rows(`select 1 from registry.tenants where share_with <> '{}'`)).toEqual([]);
    });

    it('lets no publish commit after itself, whoever wins', async () => {
      await publisher.policy();
      const beneath = publisher.unitOfWork;
      const outcomes: string[] = [];
      for (let round = 0; round < 8; round++) {
        publisher.anew();
        await publisher.policy();
        const published = Array.from({ length: 4 }, (_, n) =>
          publisher.publish({ version: `1.${n}.0` }, ['release'], 'edge', unsealedOnly(beneath, false)),
        );
        await Promise.race(published.slice(0, 1 + (round % 4)).map(one => one.catch(() => undefined)));
        await seal();
        // What its transaction saw committed when it was sealed is all there ever is.
        const before = await publisher.rows(`select version from registry.pack_versions order by version`);
        const settled = await Promise.allSettled(published);
        expect(await publisher.rows(`select version from registry.pack_versions order by version`)).toEqual(before);
        for (const one of settled) {
          if (one.status === 'rejected') expect(one.reason).toMatchObject({ code: 'ERR_PACK_SEALED' });
          outcomes.push(one.status);
        }
        expect(before).toHaveLength(settled.filter(({ status }) => status === 'fulfilled').length);
      }
      expect(outcomes).toContain('fulfilled');
    });
  });

  it('holds for the mirror-worker, which may only ask', async () => {
    const url = publisher.database.urlOf('mirror-worker');
    const dataSource = await createDataSource({ url, applicationName: 'spec', poolSize: 2 }).initialize();
    try {
      const mirrors = unsealedOnly(
        new PostgresMirrorUnitOfWork(dataSource, { committed: () => undefined, traceparent: () => null }),
        false,
      );
      await expect(mirrors.run(publisher.tenant, tx => tx.mirrors.list(publisher.tenant))).resolves.toEqual([]);
      await seal();
      await expect(mirrors.run(publisher.tenant, tx => tx.mirrors.list(publisher.tenant))).rejects.toMatchObject({
        code: 'ERR_PACK_SEALED',
      });
      await expect(dataSource.query(`select registry.lock_seal()`)).rejects.toMatchObject({ code: '42501' });
    } finally {
      await dataSource.destroy();
    }
  });
});
