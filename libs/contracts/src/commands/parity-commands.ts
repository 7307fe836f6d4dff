import { Type, type Static } from '@sinclair/typebox';
import { closed, origin } from '../contract-types';
import { ParityCheckSchema, type ParityDepth } from '../parity';
import { command } from './command-contract';

/** Asks for a comparison now. One that is queued already is answered with, and then reads as much as both were asked for. */
export const CheckParity = command({
  subject: 'cmd.parity-worker.check-parity',
  timeoutMs: 10_000,
  request: closed({
    ...origin,
    mirrorId: Type.String({ minLength: 1, maxLength: 64 }),
    depth: Type.Unsafe<Exclude<ParityDepth, 'changes'>>({ type: 'string', enum: ['bytes', 'index'] }),
  }),
  reply: closed({ check: ParityCheckSchema }),
});
export type CheckParityRequest = Static<typeof CheckParity.request>;
export type CheckParityReply = Static<typeof CheckParity.reply>;
