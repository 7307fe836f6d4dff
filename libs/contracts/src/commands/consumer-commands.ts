import { Type, type Static } from '@sinclair/typebox';
import type { ProcessName } from '../access/processes';
import { closed, nullable, TenantSchema } from '../contract-types';
import { command } from './command-contract';

/** The processes that consume events. */
export const CONSUMER_PROCESSES = ['compliance', 'mirror-worker', 'parity-worker'] as const satisfies readonly ProcessName[];
export type ConsumerProcess = (typeof CONSUMER_PROCESSES)[number];

const DeadLetterSchema = closed({
  id: Type.String(),
  consumer: Type.String(),
  subject: Type.String(),
  eventId: nullable(Type.String()),
  reason: Type.String(),
  attempts: Type.Integer(),
  deadAt: Type.String(),
  replayedAt: nullable(Type.String()),
});
export type DeadLetterSummary = Static<typeof DeadLetterSchema>;

function commandsOf<P extends ConsumerProcess>(process: P) {
  return {
    /** Messages that the process's consumers gave up on, oldest first. */
    listDeadLetters: command({
      subject: `cmd.${process}.list-dead-letters`,
      timeoutMs: 10_000,
      request: closed({ tenant: TenantSchema, after: nullable(Type.String()), limit: Type.Integer({ minimum: 1, maximum: 100 }) }),
      reply: closed({ deadLetters: Type.Array(DeadLetterSchema), next: nullable(Type.String()) }),
    }),
    /** Runs the consumer's handler once more over a dead letter's stored message. */
    replayDeadLetter: command({
      subject: `cmd.${process}.replay-dead-letter`,
      timeoutMs: 30_000,
      request: closed({ tenant: TenantSchema, id: Type.String({ maxLength: 64 }) }),
      reply: closed({ deadLetter: DeadLetterSchema }),
    }),
    /** Runs one consumer's handler over the record of events again, and reports how many it saw. */
    replayEvents: command({
      subject: `cmd.${process}.replay-events`,
      timeoutMs: 600_000,
      request: closed({
        tenant: TenantSchema,
        consumer: Type.String({ maxLength: 64 }),
        since: nullable(Type.String({ format: 'date-time' })),
        /** Empties the consumer's projection of this tenant first. */
        rebuild: Type.Boolean(),
      }),
      reply: closed({ consumer: Type.String(), events: Type.Integer(), applied: Type.Integer(), refused: Type.Integer() }),
    }),
  };
}

export const CONSUMER_COMMANDS = {
  compliance: commandsOf('compliance'),
  'mirror-worker': commandsOf('mirror-worker'),
  'parity-worker': commandsOf('parity-worker'),
} as const;

type Commands = (typeof CONSUMER_COMMANDS)['compliance'];
export type ListDeadLettersRequest = Static<Commands['listDeadLetters']['request']>;
export type ListDeadLettersReply = Static<Commands['listDeadLetters']['reply']>;
export type ReplayDeadLetterRequest = Static<Commands['replayDeadLetter']['request']>;
export type ReplayDeadLetterReply = Static<Commands['replayDeadLetter']['reply']>;
export type ReplayEventsRequest = Static<Commands['replayEvents']['request']>;
export type ReplayEventsReply = Static<Commands['replayEvents']['reply']>;
