import { newEvent, VisibilityUpdated, type EventEnvelope } from '@packs/contracts';
import { sha256 } from '@packs/domain';
import { createLogger } from '@packs/observability';
import { DeadLetters, OutboxQueue, type DeadMessage, type OutboxRow } from '@packs/ports';

export const QUIET = createLogger('spec', 'silent');

export function anEvent(tenant = 'acme'): EventEnvelope {
  const data = { packId: null, version: null, actor: 'user:alice', tenant, source: null, signatures: [], metadataHash: sha256('state') };
  return newEvent(VisibilityUpdated, { ...data, shareWith: [] }, new Date('2026-01-17T08:00:00Z'));
}

export function rowOf(event: EventEnvelope, payload = Buffer.from(JSON.stringify(event))): OutboxRow {
  return { position: '1', eventId: event.id, subject: event.type, payload, traceparent: null };
}

/** An outbox whose transactions always commit. */
export class InMemoryOutbox extends OutboxQueue {
  readonly unsent: OutboxRow[] = [];

  async drain(limit: number, publish: (rows: readonly OutboxRow[]) => Promise<number>): Promise<number> {
    const rows = this.unsent.slice(0, limit);
    const sent = rows.length > 0 ? await publish(rows) : 0;
    this.unsent.splice(0, sent);
    return sent;
  }

  async countUnsent(): Promise<number> {
    return this.unsent.length;
  }
}

/** Remembers letters; can be told to fail. */
export class RecordingDeadLetters extends DeadLetters {
  readonly added: DeadMessage[] = [];
  failures = 0;

  async add(message: DeadMessage): Promise<void> {
    if (this.failures-- > 0) throw new Error('the database is down');
    this.added.push(message);
  }

  list(): never {
    throw new Error('not asked for here');
  }

  find(): never {
    throw new Error('not asked for here');
  }

  markReplayed(): never {
    throw new Error('not asked for here');
  }
}
