import { UNSEALED, type RepositoryName } from '@packs/domain';
import type { PartialUpload, UploadLease } from '@packs/ports';
import { randomUUID } from 'node:crypto';
import type { Client } from 'pg';
import { inTransaction } from '../transaction';
import { aStoredBlob, publish, SpecDatabase, unitOfWorkOn } from '../persistence.fixture';
import { PostgresSealReadModel } from '../registry/seal-store';
import { PostgresUploadSessions } from './upload-sessions';

const HOUR_MS = 3_600_000;
const LIMIT = 100;
const APP: RepositoryName = { namespace: 'acme', repository: 'team/app' };
const OTHER: RepositoryName = { namespace: 'acme', repository: 'other' };
const FOREIGN: RepositoryName = { namespace: 'globex', repository: 'team/app' };

describe('PostgresUploadSessions', () => {
  let db: SpecDatabase;
  let admin: Client;
  let sessions: PostgresUploadSessions;
  beforeAll(async () => {
    db = await SpecDatabase.open();
    admin = await db.client();
    sessions = new PostgresUploadSessions(await db.as('api-gateway', 16));
  });
  afterAll(() => db.close());
  beforeEach(() => admin.query('delete from gateway.uploads'));

  const open = (to = APP) => sessions.open(to, 'user:alice', 'sha256', LIMIT);
  const leaseOn = (id: string, changes: Partial<UploadLease> = {}): UploadLease => ({
    ...{ of: APP, id, owner: randomUUID(), ms: HOUR_MS },
    ...changes,
  });
  const expire = (id: string) => admin.query(`update gateway.uploads set lease_until = now() - interval '1 s' where id = $1`, [id]);
  const upload = (size: number): PartialUpload => ({ size, algorithm: 'sha256', state: { pieces: [{ key: 'k', size }] } });
  const count = async (table: string, where: string, ...values: string[]) =>
    (await admin.query<{ n: number }>(`select count(*)::int as n from ${table} where ${where}`, values)).rows[0]?.n;
  const linksOf = (digest: string) => count('content.repository_blobs', 'digest = $1', digest);

  it('keeps a session for any replica, from its first byte to what it was given back with', async () => {
    const id = await sessions.open(APP, 'user:alice', 'sha512', LIMIT);
    expect(await sessions.find(APP, id)).toEqual({ id, algorithm: 'sha512', upload: null, busy: false });
    const lease = leaseOn(id);
    expect(await sessions.hold(lease)).toEqual({ id, algorithm: 'sha512', upload: null });
    expect(await sessions.find(APP, id)).toMatchObject({ busy: true });
    expect(await sessions.keep(lease, upload(5))).toBe(true);
    expect(await sessions.keep(lease)).toBe(true);
    expect(await sessions.release(lease, upload(7))).toBe(true);
    const another = new PostgresUploadSessions(await db.as('api-gateway', 1));
    expect(await another.find(APP, id)).toEqual({ id, algorithm: 'sha512', upload: upload(7), busy: false });
  });

  it('knows a session in its own repository and tenant alone', async () => {
    const id = await open();
    for (const elsewhere of [OTHER, FOREIGN]) {
      expect(await sessions.find(elsewhere, id)).toBeUndefined();
      expect(await sessions.hold(leaseOn(id, { of: elsewhere }))).toBeUndefined();
    }
    expect(await sessions.find(APP, randomUUID())).toBeUndefined();
    expect(await sessions.find(APP, "x' or true --")).toBeUndefined();
  });

  it('lets one writer of many have a session', async () => {
    const id = await open();
    const asked = await Promise.allSettled(Array.from({ length: 16 }, () => sessions.hold(leaseOn(id))));
    expect(asked.filter(one => one.status === 'fulfilled')).toHaveLength(1);
    for (const one of asked) {
      if (one.status === 'rejected') expect(one.reason).toMatchObject({ code: 'ERR_OCI_UPLOAD_BUSY', retry: 'later' });
    }
  });

  it('counts nothing any more of a writer whose lease another took over', async () => {
    const id = await open();
    const [late, next] = [leaseOn(id), leaseOn(id)];
    await sessions.hold(late);
    await expire(id);
    expect(await sessions.keep(late)).toBe(true);
    await expect(sessions.hold(next)).rejects.toMatchObject({ code: 'ERR_OCI_UPLOAD_BUSY' });
    await expire(id);
    await sessions.hold(next);
    expect(await sessions.keep(late, upload(99))).toBe(false);
    expect(await sessions.release(late, upload(99))).toBe(false);
    expect(await sessions.remove(late)).toBe(false);
    expect(await sessions.find(APP, id)).toMatchObject({ upload: null, busy: true });
    expect(await sessions.remove(next)).toBe(true);
    expect(await sessions.release(next, upload(1))).toBe(false);
    expect(await sessions.find(APP, id)).toBeUndefined();
  });

  it('opens no more sessions for a tenant than it may have', async () => {
    const openTwo = () => sessions.open(APP, 'user:alice', 'sha256', 2);
    const first = await openTwo();
    await openTwo();
    await expect(openTwo()).rejects.toMatchObject({ code: 'ERR_PACK_LIMIT', retry: 'later', details: { limit: 2 } });
    await sessions.open(FOREIGN, 'user:eve', 'sha256', 2);
    await sessions.link(APP, 'user:alice', aStoredBlob('ends the first'), first);
    await openTwo();
  });

  it('links a blob, and ends the session it came by', async () => {
    const id = await open();
    const blob = aStoredBlob('linked');
    expect(await sessions.link(APP, 'user:alice', blob, id)).toEqual(blob);
    expect([await linksOf(blob.digest), await count('gateway.uploads', 'id = $1', id)]).toEqual([1, 0]);
    // The same push again, to here and elsewhere: the first record holds.
    expect(await sessions.link(APP, 'user:alice', { ...blob, objectKey: 'later' })).toEqual(blob);
    expect(await sessions.link(FOREIGN, 'user:eve', { ...blob, objectKey: 'foreign' })).toEqual(blob);
    expect(await linksOf(blob.digest)).toBe(2);
  });

  it('links a blob that came whole to a session that nobody holds and that has no bytes', async () => {
    const [fresh, held, begun] = [await open(), await open(), await open()];
    await sessions.hold(leaseOn(held));
    const lease = leaseOn(begun);
    await sessions.hold(lease);
    await sessions.release(lease, upload(5));
    const blobs = ['whole', 'to one held', 'to one begun', 'to none', 'elsewhere'].map(aStoredBlob);
    const linked = await Promise.all(
      blobs.map((blob, at) =>
        sessions.linkWhole(at === 4 ? OTHER : APP, 'user:alice', blob, [fresh, held, begun, randomUUID(), begun][at] ?? ''),
      ),
    );
    expect(linked).toEqual([blobs[0], 'begun', 'begun', 'unknown', 'unknown']);
    for (const [at, { digest }] of blobs.entries()) {
      expect([await linksOf(digest), await count('content.blobs', 'digest = $1', digest)]).toEqual(at === 0 ? [1, 1] : [0, 0]);
    }
    expect(await sessions.find(APP, fresh)).toBeUndefined();
    expect(await sessions.find(APP, begun)).toMatchObject({ upload: upload(5) });
    expect(await sessions.linkWhole(APP, 'user:alice', aStoredBlob('again'), fresh)).toBe('unknown');
  });

  it('ends no session of another repository', async () => {
    const id = await open(OTHER);
    await sessions.link(APP, 'user:alice', aStoredBlob('elsewhere'), id);
    expect(await sessions.find(OTHER, id)).toBeDefined();
  });

  it('gives every writer of one digest the same record, whoever comes first', async () => {
    for (let round = 0; round < 5; round++) {
      const blob = aStoredBlob(`contended ${round}`);
      const writers = Array.from({ length: 12 }, (_, at) =>
        sessions.link({ namespace: 'acme', repository: `r${at % 3}` }, 'user:alice', { ...blob, objectKey: `${round}-${at}` }),
      );
      expect(new Set((await Promise.all(writers)).map(one => one.objectKey)).size).toBe(1);
      expect(await linksOf(blob.digest)).toBe(3);
    }
  });

  it('links by its own object when the record it met is taken away meanwhile', async () => {
    const blob = aStoredBlob('vacuumed');
    await admin.query(`insert into content.blobs (digest, size, object_key, block_checksums) values ($1, $2, 'old', '')`, [
      blob.digest,
      blob.size,
    ]);
    const vacuum = await db.client();
    await vacuum.query('begin');
    await vacuum.query('delete from content.blobs where digest = $1', [blob.digest]);
    const linking = sessions.link(APP, 'user:alice', blob);
    await vacuum.query(`select pg_sleep(0.2)`);
    await vacuum.query('commit');
    expect(await linking).toEqual(blob);
    expect(await linksOf(blob.digest)).toBe(1);
  });

  it('mounts what another repository of the tenant has, and knows nothing of other tenants’', async () => {
    const blob = aStoredBlob('mounted');
    await sessions.link(OTHER, 'user:alice', blob);
    expect(await sessions.mount(APP, 'user:bob', blob.digest, OTHER)).toEqual(blob);
    expect(await sessions.mount(APP, 'user:bob', blob.digest, OTHER)).toEqual(blob);
    expect(await linksOf(blob.digest)).toBe(2);
    expect(await sessions.mount(FOREIGN, 'user:eve', blob.digest, OTHER)).toBeUndefined();
    expect(await sessions.mount(APP, 'user:bob', aStoredBlob('nowhere').digest, OTHER)).toBeUndefined();
    expect(await linksOf(blob.digest)).toBe(2);
    expect(await sessions.holders('globex', blob.digest, 10)).toEqual([]);
    expect((await sessions.holders('acme', blob.digest, 10)).map(one => one.repository).toSorted()).toEqual(['other', 'team/app']);
    expect(await sessions.holders('acme', blob.digest, 1)).toHaveLength(1);
  });

  it('mounts what a manifest of the tenant names, even where another tenant may read it', async () => {
    const { version } = await publish(await db.as('publisher'), { packId: 'acme.shared', tenantVisibility: ['*'] });
    const from = { namespace: 'acme', repository: 'acme.shared' };
    expect(await sessions.mount(FOREIGN, 'user:eve', version.bundle.digest, from)).toBeUndefined();
    expect(await sessions.mount(APP, 'user:bob', version.bundle.digest, from)).toMatchObject({ digest: version.bundle.digest });
    expect(await sessions.holders('globex', version.bundle.digest, 10)).toEqual([]);
  });

  it('changes nothing in a sealed tenant', async () => {
    const [blob, id] = [aStoredBlob('sealed'), await open()];
    const known = aStoredBlob('known');
    await sessions.link(OTHER, 'user:alice', known);
    const seal = (sealed: boolean) =>
      unitOfWorkOn(publisher).run('acme', tx =>
        tx.seal.put('acme', { sealed, by: 'api', since: '2026-01-01T00:00:00Z', changedBy: 'user:a', reason: 'x', pendingUnseal: null }),
      );
    const publisher = await db.as('publisher');
    await seal(true);
    for (const process of ['api-gateway', 'mirror-worker', 'parity-worker'] as const) {
      const seals = new PostgresSealReadModel(await db.as(process, 1));
      expect(await seals.seal('acme')).toMatchObject({ sealed: true, by: 'api', changedBy: 'user:a', since: '2026-01-01T00:00:00.000Z' });
      expect(await seals.seal('globex')).toEqual(UNSEALED);
    }
    await expect(sessions.link(APP, 'user:alice', blob, id)).rejects.toMatchObject({ code: 'ERR_PACK_SEALED' });
    await expect(sessions.linkWhole(APP, 'user:alice', blob, id)).rejects.toMatchObject({ code: 'ERR_PACK_SEALED' });
    await expect(open()).rejects.toMatchObject({ code: 'ERR_PACK_SEALED' });
    await expect(sessions.mount(APP, 'user:alice', known.digest, OTHER)).rejects.toMatchObject({ code: 'ERR_PACK_SEALED' });
    expect([await linksOf(blob.digest), await linksOf(known.digest)]).toEqual([0, 1]);
    expect(await count('content.blobs', 'digest = $1', blob.digest)).toBe(0);
    expect(await sessions.find(APP, id)).toBeDefined();
    await seal(false);
    await sessions.link(APP, 'user:alice', blob, id);
  });

  it('lets a seal wait for a link that is under way, and no link behind it', async () => {
    const publisher = await db.as('publisher', 2);
    let release = (): void => undefined;
    const released = new Promise<void>(resolve => (release = resolve));
    const sealing = unitOfWorkOn(publisher).run('initech', async tx => {
      await tx.seal.lock('initech');
      await released;
      const by = { by: 'api', since: '2026-01-01T00:00:00Z', changedBy: 'user:a', reason: 'x', pendingUnseal: null } as const;
      await tx.seal.put('initech', { sealed: true, ...by });
    });
    await admin.query('select pg_sleep(0.1)');
    const linking = sessions.link({ namespace: 'initech', repository: 'app' }, 'user:a', aStoredBlob('too late'));
    const refused = expect(linking).rejects.toMatchObject({ code: 'ERR_PACK_SEALED' });
    release();
    await sealing;
    await refused;
  });

  it('sweeps what nobody touched for long, whosever it is, and nothing that a writer has', async () => {
    const [old, held, fresh, foreign, empty] = [await open(), await open(), await open(), await open(FOREIGN), await open()];
    for (const [id, of] of [
      [old, APP],
      [foreign, FOREIGN],
      [fresh, APP],
    ] as const) {
      const lease = leaseOn(id, { of });
      await sessions.hold(lease);
      await sessions.release(lease, upload(id.length));
    }
    await sessions.hold(leaseOn(held));
    await admin.query(`update gateway.uploads set touched_at = now() - interval '25 h' where id <> $1`, [fresh]);
    const before = new Date(Date.now() - 24 * HOUR_MS);
    const replica = new PostgresUploadSessions(await db.as('api-gateway', 1));
    const turns = await Promise.all([sessions.sweep(before, 2), replica.sweep(before, 2)]);
    turns.push(await sessions.sweep(before, 10));
    expect(turns.reduce((sum, turn) => sum + turn.ended, 0)).toBe(3);
    expect(turns.flatMap(turn => turn.uploads)).toEqual([upload(36), upload(36)]);
    const { rows } = await admin.query<{ id: string }>('select id from gateway.uploads');
    expect(rows.map(row => row.id).toSorted()).toEqual([held, fresh].toSorted());
    expect([foreign, empty].some(id => rows.some(row => row.id === id))).toBe(false);
  });

  it('leaves connections that flush what others commit on them', async () => {
    const gateway = await db.as('api-gateway', 1);
    const hasty = new PostgresUploadSessions(gateway);
    const lease = leaseOn(await hasty.open(APP, 'user:alice', 'sha256', LIMIT));
    await hasty.hold(lease);
    await hasty.release(lease, null);
    const asked = inTransaction(gateway, 'acme', sql => sql.query(`select current_setting('synchronous_commit') as level`));
    expect(await asked).toEqual([{ level: 'on' }]);
  });
});
