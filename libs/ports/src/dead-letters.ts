import type { DeadLetterSummary } from '@packs/contracts';

export interface DeadMessage {
  readonly consumer: string;
  readonly subject: string;
  /** Null when the envelope could not be read. */
  readonly eventId: string | null;
  readonly tenant: string | null;
  readonly payload: Buffer;
  readonly reason: string;
  readonly attempts: number;
}

/** Messages a consumer gave up on; they wait here until somebody replays them. */
export abstract class DeadLetters {
  /** A message that is already there is not added twice. */
  abstract add(message: DeadMessage): Promise<void>;
  abstract list(tenant: string, after: string | null, limit: number): Promise<{ deadLetters: DeadLetterSummary[]; next: string | null }>;
  abstract find(tenant: string, id: string): Promise<{ summary: DeadLetterSummary; message: DeadMessage } | undefined>;
  abstract markReplayed(tenant: string, id: string): Promise<DeadLetterSummary | undefined>;
}
