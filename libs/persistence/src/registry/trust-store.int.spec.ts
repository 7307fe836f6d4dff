import { canonicalDigest, DEFAULT_SCANNING, policyDigest, sha256, type SigningPolicy } from '@packs/domain';
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

  it('keeps every version of a policy, with who wrote it and until when it decided', async () => {
    const write = async (version: number, actor: string) => {
      await run(async tx => {
        await tx.trust.state('acme', 'update');
        await tx.trust.addPolicy({ ...POLICY, version, unsigned: version === 2 ? 'pending' : 'reject' }, 'acme', actor);
      });
    };
    for (const [at, actor] of ['user:alice', 'user:bob', 'user:carol'].entries()) await write(at + 1, actor);
    await run(tx => tx.trust.addPolicy({ ...POLICY, name: 'other' }, 'acme', 'user:alice'));
    const reads = new PostgresTrustReadModel(await db.as('api-gateway'));
    const all = await reads.policyVersions('acme', 'default', { limit: 10 });
    expect(all?.versions.map(({ version, active, createdBy, unsigned }) => [version, active, createdBy, unsigned])).toEqual([
      [3, true, 'user:carol', 'reject'],
      [2, false, 'user:bob', 'pending'],
      [1, false, 'user:alice', 'reject'],
    ]);
    expect(all?.versions.map(({ supersededAt }) => supersededAt)).toEqual([null, all?.versions[0]?.createdAt, all?.versions[1]?.createdAt]);
    expect(all?.versions[2]?.digest).toBe(policyDigest(POLICY));
    const first = await reads.policyVersions('acme', 'default', { limit: 2 });
    expect([first?.versions.map(({ version }) => version), first?.next]).toEqual([[3, 2], '2']);
    const second = await reads.policyVersions('acme', 'default', { limit: 2, cursor: first?.next ?? '' });
    expect([second?.versions.map(({ version }) => version), second?.next]).toEqual([[1], null]);
    expect(await reads.policyVersions('globex', 'default', { limit: 2 })).toBeUndefined();
    expect(await reads.policyVersions('acme', 'nobody', { limit: 2 })).toBeUndefined();
  });

  it('keeps the trust material of every epoch that there was', async () => {
    const [first, second] = [aStoredBlob('first keys'), aStoredBlob('second keys')];
    await new PostgresContentCatalog(publisher).record([first, second]);
    for (const [at, material] of [first, second, first].entries()) {
      await run(async tx => {
        await tx.trust.state('acme', 'update');
        await tx.trust.setMaterial('acme', at + 1, material);
        await tx.trust.setShareWith('acme', [`tenant-${at}`]);
      });
    }
    const admin = await db.client();
    const { rows } = await admin.query(`select epoch, digest from registry.trust_epochs where tenant = 'acme' order by epoch`);
    expect(rows).toEqual([first, second, first].map(({ digest }, at) => ({ epoch: String(at + 1), digest })));
    const { rows: users } = await admin.query(`select content.tenants_with($1) as tenant`, [second.digest]);
    expect(users).toEqual([{ tenant: 'acme' }]);
    await expect(admin.query('delete from content.blobs where digest = $1', [second.digest])).rejects.toMatchObject({
      code: expect.stringMatching(/^23[05]0[13]$/) as string,
    });
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
