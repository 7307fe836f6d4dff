import { Type, type Static } from '@sinclair/typebox';
import {
  closed,
  DigestSchema,
  nullable,
  origin,
  PackIdSchema,
  SignatureRefSchema,
  TenantSchema,
  TimestampSchema,
  VersionSchema,
} from '../contract-types';
import { command } from './command-contract';
import { RejectedSchema } from './schemas';

/** Signatures that one version has at a time. */
export const VERSION_SIGNATURES_MAX = 64;

/** Adds stored signatures to those of a published version, or puts them in the place of others, if its policies still accept it. */
export const RotateSignature = command({
  subject: 'cmd.publisher.rotate-signature',
  timeoutMs: 120_000,
  request: closed({
    ...origin,
    packId: PackIdSchema,
    version: VersionSchema,
    signatures: Type.Array(SignatureRefSchema, { maxItems: 8 }),
    /** Those that they take the place of; `all`: every one that is not among them. */
    replaces: Type.Union([Type.Literal('all'), Type.Array(DigestSchema, { maxItems: VERSION_SIGNATURES_MAX })]),
    reason: nullable(Type.String({ maxLength: 1024 })),
    /** Null: asked again, it finds what it has done. */
    idempotencyKey: nullable(Type.String({ minLength: 1, maxLength: 128 })),
  }),
  reply: Type.Union([
    closed({
      outcome: Type.Literal('rotated'),
      /** Counted from 1 for each version. */
      rotation: Type.Integer({ minimum: 1 }),
      added: Type.Array(DigestSchema),
      replaced: Type.Array(DigestSchema),
      /** All that the version has now. */
      signatures: Type.Array(DigestSchema),
      verdictHash: DigestSchema,
      /** Whether it was withdrawn and is served again by this. */
      restored: Type.Boolean(),
      rotatedAt: TimestampSchema,
    }),
    /** It has all of them, and none of those they take the place of. */
    closed({ outcome: Type.Literal('unchanged'), signatures: Type.Array(DigestSchema) }),
    RejectedSchema,
  ]),
});
export type RotateSignatureRequest = Static<typeof RotateSignature.request>;
export type RotateSignatureReply = Static<typeof RotateSignature.reply>;

/** How far the pass over a tenant's versions is. */
const ReverificationSchema = closed({
  state: Type.Union([Type.Literal('queued'), Type.Literal('running'), Type.Literal('completed')]),
  cause: Type.Union([Type.Literal('trust'), Type.Literal('schedule'), Type.Literal('request')]),
  epoch: Type.Integer({ minimum: 0 }),
  requestedAt: TimestampSchema,
  requestedBy: Type.String(),
  startedAt: nullable(TimestampSchema),
  finishedAt: nullable(TimestampSchema),
  examined: Type.Integer({ minimum: 0 }),
  withdrawn: Type.Integer({ minimum: 0 }),
  restored: Type.Integer({ minimum: 0 }),
  failed: Type.Integer({ minimum: 0 }),
});

/** Begins a pass over a tenant's versions, in the place of one that has not ended. */
export const StartReverification = command({
  subject: 'cmd.publisher.start-reverification',
  timeoutMs: 10_000,
  request: closed({ tenant: TenantSchema, actor: Type.String({ minLength: 1, maxLength: 256 }) }),
  reply: closed({ reverification: ReverificationSchema }),
});
export type StartReverificationRequest = Static<typeof StartReverification.request>;
export type StartReverificationReply = Static<typeof StartReverification.reply>;
