import { createHash } from 'node:crypto';
import { auditLeaf, sha256, type AuditEntry } from '@packs/domain';
import type { AuditTx } from '@packs/ports';
import { ulid } from 'ulid';
import { AT, SpecDatabase } from '../persistence.fixture';
import { PostgresAuditReadModel } from '../reading/audit-read-model';
import { PostgresAuditUnitOfWork } from './audit-unit-of-work';
import { PostgresDeadLetters } from './dead-letters';

function anEntry(tenant: string, seq: number, changes: Partial<AuditEntry> = {}): AuditEntry {
  return {
    seq,
    id: `evt_${ulid()}`,
    type: 'pack.version.published',
    tenant,
    packId: 'acme.hello',
    version: '1.0.0',
    actor: 'user:alice',
    source: null,
    signatures: [],
    metadataHash: sha256('x'),
    occurredAt: AT,
    data: { note: 'größer' },
    ...changes,
  };
}

describe('the audit log', () => {
  let db: SpecDatabase;
  let unitOfWork: PostgresAuditUnitOfWork;
  let log: PostgresAuditReadModel;
  beforeAll(async () => {
    db = await SpecDatabase.open();
    unitOfWork = new PostgresAuditUnitOfWork(await db.as('compliance', 12));
    log = new PostgresAuditReadModel(await db.as('api-gateway'));
  });
  beforeEach(() => db.database.empty());
  afterAll(() => db.close());
  let appended = 0;
  const append = async (tx: AuditTx, tenant: string, changes: Partial<AuditEntry> = {}): Promise<AuditEntry> => {
    const id = changes.id ?? `evt_${++appended}`;
    const [added] = await tx.audit.append(tenant, [id], (_, seq) => {
      const entry = anEntry(tenant, seq, { ...changes, id });
      return { entry, leaf: auditLeaf(entry) };
    });
    if (!added) throw new Error(`${id} was there`);
    return added;
  };
  const appendTo = (tenant: string, changes?: Partial<AuditEntry>) => unitOfWork.run(tenant, tx => append(tx, tenant, changes));

  it('numbers the entries of each tenant from 1 without a gap, under load and among failures', async () => {
    const tenants = ['acme', 'globex', 'initech'];
    let failed = 0;
    await Promise.all(
      Array.from({ length: 50 }, async (_, at) => {
        const tenant = tenants[at % 3] ?? 'acme';
        const fails = at % 5 === 4;
        const work = unitOfWork.run(tenant, async tx => {
          await append(tx, tenant);
          if (fails) throw new Error('after the append');
        });
        if (!fails) return work;
        await expect(work).rejects.toThrow('after the append');
        failed += 1;
      }),
    );
    expect(failed).toBe(10);
    const counts = await Promise.all(
      tenants.map(async tenant => {
        const entries = await log.entries(tenant, { after: 0, limit: 100 });
        expect(entries.map(entry => entry.seq)).toEqual(entries.map((_, at) => at + 1));
        expect(await log.head(tenant)).toBe(entries.length);
        return entries.length;
      }),
    );
    expect(counts.reduce((sum, count) => sum + count)).toBe(40);
  });

  it('keeps the exact leaf and its RFC 6962 hash', async () => {
    const entry = await appendTo('acme');
    const { rows } = await (
      await db.client()
    ).query<{ leaf: Buffer; leaf_hash: Buffer }>('select leaf, leaf_hash from compliance.audit_log');
    const { leaf, leaf_hash: hash } = rows[0] ?? { leaf: Buffer.alloc(0), leaf_hash: Buffer.alloc(0) };
    expect(leaf.equals(auditLeaf(entry).bytes)).toBe(true);
    expect(
      hash.equals(
        createHash('sha256')
          .update(Buffer.concat([Buffer.of(0), leaf]))
          .digest(),
      ),
    ).toBe(true);
    expect(await log.entries('acme', { after: 0, limit: 1 })).toEqual([{ ...entry, leafHash: hash.toString('hex') }]);
  });

  it('takes an event once', async () => {
    await appendTo('acme', { id: 'evt_same' });
    await expect(appendTo('acme', { id: 'evt_same' })).rejects.toThrow('was there');
    await appendTo('globex', { id: 'evt_same' });
    expect((await appendTo('acme')).seq).toBe(2);
  });

  it('is read forward, page by page, and by pack and type', async () => {
    for (const packId of ['a', 'b', null]) for (const type of ['t.one', 't.two']) await appendTo('acme', { packId, type });
    const seqs = async (query: object) => (await log.entries('acme', { after: 0, limit: 100, ...query })).map(entry => entry.seq);
    expect(await seqs({ limit: 4 })).toEqual([1, 2, 3, 4]);
    expect(await seqs({ after: 4 })).toEqual([5, 6]);
    expect(await seqs({ after: 6 })).toEqual([]);
    expect(await seqs({ packId: 'b' })).toEqual([3, 4]);
    expect(await seqs({ type: 't.two' })).toEqual([2, 4, 6]);
    expect(await seqs({ packId: 'a', type: 't.one', after: 1 })).toEqual([]);
    expect(await log.head('globex')).toBe(0);
  });

  it('cannot be rewritten by the process that writes it', async () => {
    await appendTo('acme');
    const compliance = await db.client('compliance');
    for (const statement of [
      `update compliance.audit_log set leaf = ''`,
      `update compliance.audit_log set seq = 9`,
      'delete from compliance.audit_log',
      'truncate compliance.audit_log',
      'delete from compliance.audit_heads',
    ]) {
      await expect(compliance.query(statement)).rejects.toMatchObject({ code: '42501' });
    }
  });

  describe('and its inbox', () => {
    it('lets a message take effect once, at each consumer', async () => {
      const register = (consumer: string, id: string) => unitOfWork.run('acme', tx => tx.inbox.register(consumer, id));
      expect([await register('a', '1'), await register('a', '1'), await register('a', '2'), await register('b', '1')]).toEqual([
        true,
        false,
        true,
        true,
      ]);
    });

    it('forgets a message whose effect failed', async () => {
      const work = (fails: boolean) =>
        unitOfWork.run('acme', async tx => {
          const isNew = await tx.inbox.register('a', '1');
          if (fails) throw new Error('effect failed');
          return isNew;
        });
      await expect(work(true)).rejects.toThrow('effect failed');
      expect([await work(false), await work(false)]).toEqual([true, false]);
    });

    it('lets one of two deliveries at the same time through', async () => {
      const effects = await Promise.all(
        Array.from({ length: 8 }, () =>
          unitOfWork
            .run('acme', async tx => {
              if (await tx.inbox.register('a', 'evt')) await append(tx, 'acme', { id: 'evt' });
            })
            .then(() => 'done'),
        ),
      );
      expect(effects).toHaveLength(8);
      expect(await log.head('acme')).toBe(1);
    });
  });
});

describe('dead letters', () => {
  let db: SpecDatabase;
  let letters: PostgresDeadLetters;
  beforeAll(async () => {
    db = await SpecDatabase.open();
    letters = new PostgresDeadLetters(await db.as('compliance'), 'compliance', 'platform');
  });
  beforeEach(() => db.database.empty());
  afterAll(() => db.close());
  const aLetter = (payload: string, tenant: string | null = 'acme') => ({
    consumer: 'compliance-audit',
    subject: 'pack.version.published',
    eventId: tenant && 'evt_1',
    tenant,
    payload: Buffer.from(payload),
    reason: 'ERR_PACK_REQUEST_INVALID: bad',
    attempts: 3,
  });

  it('are kept once, with the exact message', async () => {
    for (let at = 0; at < 2; at++) await letters.add(aLetter('{"a":'));
    const { deadLetters, next } = await letters.list('acme', null, 10);
    expect(next).toBeNull();
    expect(deadLetters).toMatchObject([{ consumer: 'compliance-audit', eventId: 'evt_1', attempts: 3, replayedAt: null }]);
    const found = await letters.find('acme', deadLetters[0]?.id ?? '');
    expect(found?.message.payload.toString()).toBe('{"a":');
    expect(found?.summary).toEqual(deadLetters[0]);
  });

  it('are listed page by page to their own tenant; those without one to the operator', async () => {
    for (const payload of ['1', '2', '3']) await letters.add(aLetter(payload));
    await letters.add(aLetter('?', null));
    const first = await letters.list('acme', null, 2);
    expect(first.deadLetters).toHaveLength(2);
    const second = await letters.list('acme', first.next, 2);
    expect([second.deadLetters.length, second.next]).toEqual([1, null]);
    expect((await letters.list('platform', null, 10)).deadLetters).toMatchObject([{ eventId: null }]);
    expect((await letters.list('globex', null, 10)).deadLetters).toEqual([]);
  });

  it('are found and marked as replayed by their own tenant alone', async () => {
    await letters.add(aLetter('x'));
    const id = (await letters.list('acme', null, 1)).deadLetters[0]?.id ?? '';
    expect(await letters.find('globex', id)).toBeUndefined();
    expect(await letters.markReplayed('globex', id)).toBeUndefined();
    expect((await letters.find('acme', id))?.summary.replayedAt).toBeNull();
    const marked = await letters.markReplayed('acme', id);
    expect(marked?.replayedAt).toEqual(expect.any(String));
    expect((await letters.find('acme', id))?.summary).toEqual(marked);
  });
});
