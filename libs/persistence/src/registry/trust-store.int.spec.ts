import { canonicalDigest, DEFAULT_SCANNING, sha256, type SigningPolicy } from '@packs/domain';
import type { RegistryTx } from '@packs/ports';
import { eventually } from '@packs/testing';
import type { DataSource } from 'typeorm';
import { PostgresContentCatalog } from '../content-catalog';
import { aStoredBlob, SpecDatabase, unitOfWorkOn } from '../persistence.fixture';
import { PostgresTrustReadModel } from '../reading/trust-read-model';

const POLICY: SigningPolicy = { name: 'default', version: 1, rule: { keyRef: 'release' }, unsigned: 'reject' };
const REPLY = { outcome: 'published', packId: 'acme.hello' } as never;

/** A promise and the function that settles it. */
function aGate(): { opened: Promise<void>; open: () => void } {
  let open = (): void => undefined;
  const opened = new Promise<void>(resolve => (open = resolve));
  return { opened, open };
}

describe('the registry’s trust', () => {
  let db: SpecDatabase;
  let publisher: DataSource;
  beforeAll(async () => {
    db = await SpecDatabase.open();
    publisher = await db.as('publisher');
  });
  beforeEach(() => db.database.empty());
  afterAll(() => db.close());
  const run = <T>(work: (tx: RegistryTx) => Promise<T>, tenant = 'acme') => unitOfWorkOn(publisher).run(tenant, work);

  /** Until somebody waits for a lock. */
  async function untilBlocked(): Promise<void> {
    const admin = await db.client();
    await eventually(async () => {
      const { rows } = await admin.query(`select 1 from pg_stat_activity where datname = $1 and wait_event_type = 'Lock'`, [
        db.database.name,
      ]);
      if (rows.length === 0) throw new Error('nobody waits');
    });
  }

  it.each(['none', 'share', 'update'] as const)('is empty before a tenant’s first change (lock: %s)', async lock => {
    const empty = {
      epoch: 0,
      digest: canonicalDigest({ keys: [] }),
      material: null,
      policies: [],
      shareWith: [],
      scanning: DEFAULT_SCANNING,
    };
    expect(await run(tx => tx.trust.state('acme', lock))).toEqual(empty);
    expect(await run(tx => tx.trust.state('acme', lock))).toEqual(empty);
    expect(await new PostgresTrustReadModel(await db.as('api-gateway')).state('acme')).toEqual(empty);
  });

  it('gives back material, active policies by name and allow-list', async () => {
    const material = aStoredBlob('keys');
    await new PostgresContentCatalog(publisher).record([material]);
    const stable = { ...POLICY, name: 'a-stable', channel: 'stable' };
    await run(async tx => {
      await tx.trust.state('acme', 'update');
      await tx.trust.setMaterial('acme', 7, material);
      for (const policy of [POLICY, stable, { ...POLICY, version: 2 }]) await tx.trust.addPolicy(policy, 'acme', 'user:alice');
      await tx.trust.setShareWith('acme', ['globex', '*']);
      const note = { at: '2026-01-17T08:00:00.000Z', actor: 'user:alice' };
      for (const secrets of ['on', 'off'] as const) await tx.trust.setScanning('acme', { secrets, malware: 'required' }, note);
    });
    const { blockChecksums: _, ...ref } = material;
    const state = {
      epoch: 7,
      digest: material.digest,
      material: ref,
      policies: [stable, { ...POLICY, version: 2 }],
      shareWith: ['globex', '*'],
      scanning: { secrets: 'off', malware: 'required' },
    };
    expect(await run(tx => tx.trust.state('acme', 'share'))).toEqual(state);
    expect(await new PostgresTrustReadModel(await db.as('api-gateway')).state('acme')).toEqual(state);
    expect((await run(tx => tx.trust.state('globex', 'none'), 'globex')).epoch).toBe(0);
  });

  it.each(['share', 'update'] as const)('read under a lock (%s) is as of after the wait for it', async lock => {
    const material = aStoredBlob('keys');
    await new PostgresContentCatalog(publisher).record([material]);
    await run(tx => tx.trust.state('acme', 'update'));
    const [changed, finish] = [aGate(), aGate()];
    const writer = run(async tx => {
      await tx.trust.state('acme', 'update');
      await tx.trust.setMaterial('acme', 1, material);
      await tx.trust.addPolicy(POLICY, 'acme', 'user:alice');
      changed.open();
      await finish.opened;
    });
    await changed.opened;
    const reader = run(tx => tx.trust.state('acme', lock));
    await untilBlocked();
    finish.open();
    await writer;
    expect(await reader).toMatchObject({
      epoch: 1,
      digest: material.digest,
      material: { objectKey: material.objectKey },
      policies: [POLICY],
    });
  });

  it('stays as it was read under a share lock until the transaction ends', async () => {
    await run(tx => tx.trust.state('acme', 'update'));
    const [read, finish] = [aGate(), aGate()];
    const order: string[] = [];
    const reader = run(async tx => {
      await tx.trust.state('acme', 'share');
      read.open();
      await finish.opened;
      order.push('reader');
    });
    await read.opened;
    const other = run(tx => tx.trust.state('acme', 'share'));
    await other;
    const writer = run(async tx => {
      await tx.trust.state('acme', 'update');
      order.push('writer');
    });
    await untilBlocked();
    finish.open();
    await Promise.all([reader, writer]);
    expect(order).toEqual(['reader', 'writer']);
  });

  it('has each version of a policy once', async () => {
    await run(tx => tx.trust.addPolicy(POLICY, 'acme', 'user:alice'));
    await expect(run(tx => tx.trust.addPolicy(POLICY, 'acme', 'user:alice'))).rejects.toMatchObject({ code: '23505' });
  });

  it('takes no material that nobody stored', async () => {
    await run(tx => tx.trust.state('acme', 'update'));
    await expect(run(tx => tx.trust.setMaterial('acme', 1, aStoredBlob('unstored')))).rejects.toMatchObject({ code: '23503' });
  });

  describe('and its idempotency keys', () => {
    it('give back what was answered, to their own tenant', async () => {
      await run(tx => tx.idempotency.put('acme', 'key', sha256('request'), REPLY));
      expect(await run(tx => tx.idempotency.find('acme', 'key'))).toEqual({ requestHash: sha256('request'), reply: REPLY });
      expect(await run(tx => tx.idempotency.find('acme', 'other'))).toBeUndefined();
      expect(await run(tx => tx.idempotency.find('globex', 'key'), 'globex')).toBeUndefined();
    });

    it('are worked on by one request at a time: the later finds the earlier one’s answer', async () => {
      const [found, finish] = [aGate(), aGate()];
      const first = run(async tx => {
        expect(await tx.idempotency.find('acme', 'key')).toBeUndefined();
        found.open();
        await finish.opened;
        await tx.idempotency.put('acme', 'key', sha256('request'), REPLY);
      });
      await found.opened;
      const second = run(tx => tx.idempotency.find('acme', 'key'));
      await run(tx => tx.idempotency.find('acme', 'another key'));
      await untilBlocked();
      finish.open();
      await first;
      expect(await second).toMatchObject({ reply: REPLY });
    });
  });
});
