import type { EventEnvelope } from '@packs/contracts';

/** Events of the transaction it belongs to: they exist if and only if that transaction commits. */
export abstract class Outbox {
  abstract append(event: EventEnvelope): Promise<void>;
}

export interface OutboxRow {
  readonly position: string;
  readonly eventId: string;
  readonly subject: string;
  readonly payload: Buffer;
  readonly traceparent: string | null;
}

/** The relay's side of an outbox. */
export abstract class OutboxQueue {
  /**
   * Hands the oldest unsent rows, in order of appending, to `publish`, and marks as sent as many as it returns, from the front.
   * One relay at a time works on an outbox, so that events of one pack keep their order. Returns how many were marked.
   */
  abstract drain(limit: number, publish: (rows: readonly OutboxRow[]) => Promise<number>): Promise<number>;

  abstract countUnsent(): Promise<number>;
}
