import { Type } from '@sinclair/typebox';
import {
  CERTIFICATE_EXTENSIONS,
  SIGNATURE_SCHEMES,
  UNSIGNED_ANSWERS,
  type PolicyRequirements,
  type PolicyRule,
  type SigningPolicy,
  type UnsignedAnswer,
  type Verdict,
  type VerdictFault,
} from '@packs/domain';
import {
  BlobRefSchema,
  ChannelSchema,
  closed,
  DigestSchema,
  nullable,
  PackTypeSchema,
  PredicateTypeSchema,
  TimestampSchema,
} from '../contract-types';

/** Of the parts of a rule no more is said here: the domain reads them. */
const BRANCHES = { type: 'array', minItems: 1, maxItems: 32, items: { type: 'object' } };
const TEXT = { type: 'string', minLength: 1, maxLength: 2048 };

function memberOf(name: string, schema: object): object {
  return { type: 'object', properties: { [name]: schema }, required: [name], additionalProperties: false };
}

export const PolicyRuleSchema = Type.Unsafe<PolicyRule>({
  oneOf: [
    memberOf('keyRef', { type: 'string', minLength: 1, maxLength: 128 }),
    memberOf('oidcIssuer', {
      type: 'object',
      properties: {
        issuer: TEXT,
        identity: TEXT,
        extensions: { type: 'object', propertyNames: { enum: [...CERTIFICATE_EXTENSIONS] }, additionalProperties: TEXT },
      },
      required: ['issuer', 'identity'],
      additionalProperties: false,
    }),
    memberOf('anyOf', BRANCHES),
    memberOf('allOf', BRANCHES),
    memberOf('threshold', {
      type: 'object',
      properties: { count: { type: 'integer', minimum: 1 }, of: BRANCHES },
      required: ['count', 'of'],
      additionalProperties: false,
    }),
  ],
});

export const PolicyRequirementsSchema = Type.Unsafe<PolicyRequirements>(
  closed({
    algorithms: Type.Optional(Type.Array(Type.Union(SIGNATURE_SCHEMES.map(scheme => Type.Literal(scheme))), { minItems: 1 })),
    attestations: Type.Optional(
      Type.Array(closed({ predicateType: PredicateTypeSchema, rule: Type.Optional(PolicyRuleSchema) }), { minItems: 1, maxItems: 16 }),
    ),
    log: Type.Optional(Type.Boolean()),
    maxAgeDays: Type.Optional(Type.Integer({ minimum: 1 })),
  }),
);

export const UnsignedAnswerSchema = Type.Unsafe<UnsignedAnswer>({ type: 'string', enum: [...UNSIGNED_ANSWERS] });

export const SigningPolicySchema = Type.Unsafe<SigningPolicy>(
  closed({
    name: Type.String(),
    version: Type.Integer({ minimum: 1 }),
    channel: Type.Optional(ChannelSchema),
    packType: Type.Optional(PackTypeSchema),
    rule: PolicyRuleSchema,
    unsigned: UnsignedAnswerSchema,
    require: Type.Optional(PolicyRequirementsSchema),
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
    attestations: Type.Optional(Type.Array(DigestSchema)),
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
    /** Which of the reasons that its code stands for, where there are more than one. */
    reason: Type.Optional(Type.String()),
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
