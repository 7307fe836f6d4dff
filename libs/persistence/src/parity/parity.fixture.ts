import type { DataSource } from 'typeorm';
import { PostgresDeadLetters } from '../compliance/dead-letters';
import { PostgresOutbox } from '../outbox';
import { anEvent } from '../persistence.fixture';
import { inTransaction } from '../transaction';
import { PostgresParityQueue } from './parity-queue';
import { PostgresParityUnitOfWork } from './parity-unit-of-work';

/** One row at least in every table of parity. */
export async function fillParity(worker: DataSource, tenant: string): Promise<void> {
  const mirrorId = `compared mirror of ${tenant}`;
  const version = { packId: 'acme.hello', version: '1.0.0' };
  await new PostgresParityUnitOfWork(worker).run(tenant, async tx => {
    await tx.enqueue(mirrorId, { cause: 'request', depth: 'bytes', requestedBy: 'user:alice', source: null });
    await tx.markPending({ mirrorId, changedAt: new Date(), version: { ...version, state: 'missing' } });
  });
  const queue = new PostgresParityQueue(worker, { committed: () => undefined, traceparent: () => null });
  const held = await queue.claim('worker', 60_000);
  const progress = { versions: 1, totalVersions: 1, hashedBytes: 0 };
  if (held) await queue.record(held, [{ version, path: null, state: 'in-step', byBytes: false, proof: null }], progress);
  await inTransaction(worker, tenant, sql => new PostgresOutbox(sql, 'parity', () => null).append(anEvent(tenant)));
  const dead = { consumer: 'parity-plan', subject: 'pack.x', eventId: null, tenant, payload: Buffer.from('?'), reason: 'bad', attempts: 1 };
  await new PostgresDeadLetters(worker, 'parity', 'platform').add(dead);
}
