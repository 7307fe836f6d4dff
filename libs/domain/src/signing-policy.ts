import { canonicalDigest } from './canonical-json';
import type { Digest } from './digest';
import type { PackType } from './identifiers';

/** Who must have signed. A rule is a tree of `anyOf` over leaves; every leaf names one trusted identity. */
export type PolicyRule = AnyOfRule | KeyRefRule;

export interface AnyOfRule {
  readonly anyOf: readonly PolicyRule[];
}

/** Satisfied by a valid signature of the trust material's key of this name. */
export interface KeyRefRule {
  readonly keyRef: string;
}

/** A tenant's named, versioned signing policy and what it binds to. The most specific binding that matches decides. */
export interface SigningPolicy {
  readonly name: string;
  readonly version: number;
  /** Absent: every channel. */
  readonly channel?: string;
  /** Absent: every type. */
  readonly packType?: PackType;
  readonly rule: PolicyRule;
  readonly unsigned: UnsignedAnswer;
}

/**
 * What becomes of a publish whose signatures do not satisfy the rule: `pending` lets it wait for more, `reject` refuses it, and `allow`, for
 * development, takes one without any as it is.
 */
export const UNSIGNED_ANSWERS = ['pending', 'reject', 'allow'] as const;
export type UnsignedAnswer = (typeof UNSIGNED_ANSWERS)[number];

/** A named key of a tenant's trust material. */
export interface TrustedKey {
  readonly name: string;
  /** PEM, SubjectPublicKeyInfo. */
  readonly publicKey: string;
  readonly scheme: SignatureScheme;
}

/** A key is trusted for one scheme only, so that a signature cannot choose how it is checked. */
export const SIGNATURE_SCHEMES = ['rsa-pkcs1-sha256', 'rsa-pss-sha256', 'ecdsa-p256-sha256', 'ed25519'] as const;
export type SignatureScheme = (typeof SIGNATURE_SCHEMES)[number];

export interface TrustMaterial {
  readonly keys: readonly TrustedKey[];
}

export function policyDigest(policy: SigningPolicy): Digest {
  return canonicalDigest(policy);
}

/** The policy for a pack type in a channel, or undefined: without a policy nothing may be published. */
export function selectPolicy(
  policies: readonly SigningPolicy[],
  target: { channel: string; packType: PackType },
): SigningPolicy | undefined {
  const matching = policies.filter(
    policy => (!policy.channel || policy.channel === target.channel) && (!policy.packType || policy.packType === target.packType),
  );
  const weight = (policy: SigningPolicy): number => (policy.packType ? 2 : 0) + (policy.channel ? 1 : 0);
  return matching.toSorted((a, b) => weight(b) - weight(a) || (a.name < b.name ? -1 : 1))[0];
}

/** Whether signatures by `keyNames` satisfy the rule. */
export function isSatisfied(rule: PolicyRule, keyNames: ReadonlySet<string>): boolean {
  return 'anyOf' in rule ? rule.anyOf.some(part => isSatisfied(part, keyNames)) : keyNames.has(rule.keyRef);
}

/** The keys a rule can be satisfied by. */
export function keysOf(rule: PolicyRule): string[] {
  return 'anyOf' in rule ? rule.anyOf.flatMap(keysOf) : [rule.keyRef];
}
