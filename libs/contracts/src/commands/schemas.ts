import { Type } from '@sinclair/typebox';
import { UNSIGNED_ANSWERS, type PolicyRule, type SigningPolicy, type UnsignedAnswer, type Verdict, type VerdictFault } from '@packs/domain';
import { BlobRefSchema, ChannelSchema, closed, DigestSchema, nullable, PackTypeSchema, TimestampSchema } from '../contract-types';

export const PolicyRuleSchema = Type.Unsafe<PolicyRule>({
  oneOf: [
    {
      type: 'object',
      properties: { keyRef: { type: 'string', minLength: 1, maxLength: 128 } },
      required: ['keyRef'],
      additionalProperties: false,
    },
    {
      type: 'object',
      properties: {
        oidcIssuer: {
          type: 'object',
          properties: {
            issuer: { type: 'string', minLength: 1, maxLength: 2048 },
            identity: { type: 'string', minLength: 1, maxLength: 2048 },
          },
          required: ['issuer', 'identity'],
          additionalProperties: false,
        },
      },
      required: ['oidcIssuer'],
      additionalProperties: false,
    },
    {
      type: 'object',
      properties: { anyOf: { type: 'array', minItems: 1, maxItems: 32, items: { type: 'object' } } },
      required: ['anyOf'],
      additionalProperties: false,
    },
  ],
});

export const UnsignedAnswerSchema = Type.Unsafe<UnsignedAnswer>({ type: 'string', enum: [...UNSIGNED_ANSWERS] });

export const SigningPolicySchema = Type.Unsafe<SigningPolicy>(
  closed({
    name: Type.String(),
    version: Type.Integer({ minimum: 1 }),
    channel: Type.Optional(ChannelSchema),
    packType: Type.Optional(PackTypeSchema),
    rule: PolicyRuleSchema,
    unsigned: UnsignedAnswerSchema,
  }),
);

/** The tenant's trust as of one epoch. `material` is null while the tenant has none: then no signature is trusted. */
export const TrustRefSchema = closed({
  digest: DigestSchema,
  epoch: Type.Integer({ minimum: 0 }),
  material: nullable(BlobRefSchema),
});

export const VerdictSchema = Type.Unsafe<Verdict>(
  closed({
    schema: Type.Literal('stellaops.io/verdict.v1'),
    outcome: Type.Union([Type.Literal('accepted'), Type.Literal('rejected')]),
    subject: closed({
      bundle: DigestSchema,
      config: Type.Optional(DigestSchema),
      manifest: Type.Optional(DigestSchema),
      attestation: Type.Optional(DigestSchema),
    }),
    policy: nullable(closed({ name: Type.String(), version: Type.Integer(), digest: DigestSchema })),
    trust: closed({ digest: DigestSchema, epoch: Type.Integer({ minimum: 0 }) }),
    evidence: Type.Array(DigestSchema),
    checks: Type.Array(
      closed({
        id: Type.String(),
        outcome: Type.Union([Type.Literal('pass'), Type.Literal('fail'), Type.Literal('skipped')]),
        reason: Type.String(),
        evidence: Type.Optional(DigestSchema),
      }),
    ),
    identities: Type.Array(
      Type.Union([
        closed({ kind: Type.Literal('key'), name: Type.String(), keyId: DigestSchema, scheme: Type.String(), signature: DigestSchema }),
        closed({
          kind: Type.Literal('certificate'),
          name: Type.String(),
          issuer: Type.String(),
          keyId: DigestSchema,
          scheme: Type.String(),
          signature: DigestSchema,
        }),
      ]),
    ),
    evaluatedAt: TimestampSchema,
  }),
);

export const VerdictFaultSchema = Type.Unsafe<VerdictFault>(
  closed({
    code: Type.String(),
    message: Type.String(),
    pointer: Type.Optional(Type.String()),
    field: Type.Optional(Type.String()),
  }),
);

/** The answer about what a verdict rejected. */
export const RejectedSchema = closed({
  outcome: Type.Literal('rejected'),
  verdict: VerdictSchema,
  verdictHash: DigestSchema,
  faults: Type.Array(VerdictFaultSchema),
});
