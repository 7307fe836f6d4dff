import { Type, type Static } from '@sinclair/typebox';
import { BlobRefSchema, closed, DigestSchema, origin, TimestampSchema } from '../contract-types';
import { command } from './command-contract';

/** Puts a signed trust bundle in force: checked against the one before it, both stored by the caller. */
export const RotateTrust = command({
  subject: 'cmd.publisher.rotate-trust',
  timeoutMs: 10_000,
  request: closed({ ...origin, bundle: BlobRefSchema, material: BlobRefSchema }),
  reply: closed({
    version: Type.Integer({ minimum: 1 }),
    digest: DigestSchema,
    epoch: Type.Integer({ minimum: 1 }),
    importedAt: TimestampSchema,
    importedBy: Type.String(),
  }),
});
export type RotateTrustRequest = Static<typeof RotateTrust.request>;
export type RotateTrustReply = Static<typeof RotateTrust.reply>;
