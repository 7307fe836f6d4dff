import type { ErrorCode } from './domain-error';

/** What a verdict looks at, in its order, and what each check means. */
export const VERDICT_CHECKS = {
  digest: 'the stored bytes have the digest they are named by',
  bundle: 'the bundle is one within all limits',
  manifest: 'pack.yaml is there and is valid',
  request: 'pack.yaml says what the request says',
  artifact: 'the OCI manifest is that of this bundle',
  signature: 'a signature document is about this artifact and by somebody who is trusted',
  algorithm: 'a signature is by an algorithm that the policy allows',
  log: 'a trusted log is proven to have the signature',
  age: 'a signature is not older than the policy allows',
  statement: 'an attestation states something about this artifact',
  policy: 'those who signed suffice',
  attestation: 'an attestation that the policy asks for is there, by signers it accepts',
} as const;
export type CheckId = keyof typeof VERDICT_CHECKS;

/** Reasons of checks that no error code of the registry tells, each with what it means. Codes are stable; docs/policies.md lists them. */
export const CHECK_REASONS = {
  ok: 'passed',
  'not-reached': 'not looked at, because of what came before it',
  'unsigned-allowed': 'the policy takes what nobody signed',
  'algorithm-not-allowed': 'the signature is by an algorithm that is not on the list of the policy; it counts for nothing',
  'log-not-proven': 'nothing proves offline that a trusted log has the signature; it counts for nothing',
  'signature-too-old': 'the signature was made earlier than the policy allows; it counts for nothing',
  'signature-undated': 'nobody who is trusted says when the signature was made; it counts for nothing',
  'attestation-missing': 'no valid attestation of this predicate type is there',
  'attestation-signers': 'a valid attestation of this predicate type is there, and who signed it does not suffice',
} as const;

/** Error codes that are reasons of checks as well, each with the checks it ends. */
export const CHECK_ERRORS = {
  ERR_PACK_DIGEST_MISMATCH: ['digest', 'artifact'],
  ERR_PACK_BUNDLE_INVALID: ['bundle'],
  ERR_PACK_BUNDLE_PATH: ['bundle'],
  ERR_PACK_BUNDLE_LIMIT: ['bundle'],
  ERR_PACK_MANIFEST_MISSING: ['manifest'],
  ERR_PACK_MANIFEST_YAML: ['manifest'],
  ERR_PACK_MANIFEST_SCHEMA: ['manifest'],
  ERR_PACK_MANIFEST_MISMATCH: ['request', 'artifact'],
  ERR_PACK_SIGNATURE_MISSING: ['signature'],
  ERR_PACK_SIGNATURE_INVALID: ['signature'],
  ERR_PACK_SIGNATURE_UNTRUSTED: ['signature', 'policy'],
  ERR_PACK_ATTESTATION_INVALID: ['statement'],
  ERR_PACK_POLICY_MISSING: ['policy'],
} as const satisfies Partial<Readonly<Record<ErrorCode, readonly CheckId[]>>>;

export type CheckReason = keyof typeof CHECK_REASONS | ErrorCode;
