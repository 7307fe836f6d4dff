import { Type, type Static } from '@sinclair/typebox';
import { closed, nullable, TenantSchema } from '../contract-types';
import { command } from './command-contract';

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

/** Messages that a consumer gave up on, oldest first. */
export const ListDeadLetters = command({
  subject: 'cmd.compliance.list-dead-letters',
  timeoutMs: 10_000,
  request: closed({ tenant: TenantSchema, after: nullable(Type.String()), limit: Type.Integer({ minimum: 1, maximum: 100 }) }),
  reply: closed({ deadLetters: Type.Array(DeadLetterSchema), next: nullable(Type.String()) }),
});
export type ListDeadLettersRequest = Static<typeof ListDeadLetters.request>;
export type ListDeadLettersReply = Static<typeof ListDeadLetters.reply>;

/** Runs the consumer's handler once more over a dead letter's stored message. */
export const ReplayDeadLetter = command({
  subject: 'cmd.compliance.replay-dead-letter',
  timeoutMs: 30_000,
  request: closed({ tenant: TenantSchema, id: Type.String({ maxLength: 64 }) }),
  reply: closed({ deadLetter: DeadLetterSchema }),
});
export type ReplayDeadLetterRequest = Static<typeof ReplayDeadLetter.request>;
export type ReplayDeadLetterReply = Static<typeof ReplayDeadLetter.reply>;
