import { canonicalDigest, canonicalJson } from './canonical-json';
import type { Digest } from './digest';
import type { PackType } from './identifiers';

/** Who must have signed: a tree of `anyOf`, `allOf` and `threshold` over leaves, of which every one names one trusted identity. */
export type PolicyRule = AnyOfRule | AllOfRule | ThresholdRule | KeyRefRule | OidcIssuerRule;

export interface AnyOfRule {
  readonly anyOf: readonly PolicyRule[];
}

export interface AllOfRule {
  readonly allOf: readonly PolicyRule[];
}

/** Satisfied when `count` of the rules are, each by signers of its own: nobody counts twice. */
export interface ThresholdRule {
  readonly threshold: { readonly count: number; readonly of: readonly PolicyRule[] };
}

/** Satisfied by a valid signature of the trust material's key of this name. */
export interface KeyRefRule {
  readonly keyRef: string;
}

/** Satisfied by a valid signature whose certificate, by a trusted root, names exactly this identity as seen by exactly this issuer. */
export interface OidcIssuerRule {
  readonly oidcIssuer: CertificateSigner;
}

export interface CertificateSigner {
  readonly issuer: string;
  readonly identity: string;
  /** What else the certificate has to say, letter by letter. */
  readonly extensions?: CertificateExtensions;
}

/** What a certificate says about how it came to be (sigstore fulcio, docs/oid-info.md). */
export const CERTIFICATE_EXTENSIONS = [
  'buildSignerURI',
  'buildSignerDigest',
  'runnerEnvironment',
  'sourceRepositoryURI',
  'sourceRepositoryDigest',
  'sourceRepositoryRef',
  'sourceRepositoryIdentifier',
  'sourceRepositoryOwnerURI',
  'sourceRepositoryOwnerIdentifier',
  'buildConfigURI',
  'buildConfigDigest',
  'buildTrigger',
  'runInvocationURI',
  'sourceRepositoryVisibilityAtSigning',
] as const;
export type CertificateExtensions = Readonly<Partial<Record<(typeof CERTIFICATE_EXTENSIONS)[number], string>>>;

/** How rules and signatures name a signer: a key by its name, and whom a certificate names by a text that is the name of no key. */
export function signerName(signer: KeyRefRule | OidcIssuerRule): string {
  return 'keyRef' in signer ? signer.keyRef : canonicalJson([signer.oidcIssuer.issuer, signer.oidcIssuer.identity]);
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
  /** What there has to be beside the signers; absent: nothing. */
  readonly require?: PolicyRequirements;
}

export interface PolicyRequirements {
  /** A signature by another algorithm counts for nothing. */
  readonly algorithms?: readonly SignatureScheme[];
  /** Each has to be there, verified. */
  readonly attestations?: readonly RequiredAttestation[];
  /** Whether a signature counts only with the proof that a trusted log has it. */
  readonly log?: boolean;
  /** A signature counts for so many days from the time that a log or a timestamp authority gives. */
  readonly maxAgeDays?: number;
}

export interface RequiredAttestation {
  readonly predicateType: string;
  /** Who must have signed it; absent: whoever the policy's own rule asks for. */
  readonly rule?: PolicyRule;
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
  /** Sigstore trusted roots (`trusted_root.json`), each as its RFC 8785 text; absent: none. */
  readonly trustedRoots?: readonly string[];
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

/** The branches of a rule; a leaf has none. */
function branchesOf(rule: PolicyRule): readonly PolicyRule[] {
  if ('anyOf' in rule) return rule.anyOf;
  if ('allOf' in rule) return rule.allOf;
  return 'threshold' in rule ? rule.threshold.of : [];
}

/** Everybody a rule names, as by `signerName`. */
export function namedSigners(rule: PolicyRule): ReadonlySet<string> {
  if ('keyRef' in rule || 'oidcIssuer' in rule) return new Set([signerName(rule)]);
  return new Set(branchesOf(rule).flatMap(branch => [...namedSigners(branch)]));
}

/** Whom a rule can be satisfied by, for people. */
export function signersOf(rule: PolicyRule): string[] {
  if ('keyRef' in rule) return [rule.keyRef];
  if ('oidcIssuer' in rule) return [`${rule.oidcIssuer.identity} (${rule.oidcIssuer.issuer})`];
  return branchesOf(rule).flatMap(signersOf);
}
