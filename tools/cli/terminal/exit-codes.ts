import { DomainError, type ErrorCode } from '@packs/domain';
import { CommanderError } from 'commander';
import { RegistryProblem } from '../client/registry-problem';

/** The exit codes, as `stella help exit-codes` prints them. */
export const EXIT_CODES = {
  ok: [0, 'done'],
  unexpected: [1, 'an error nobody foresaw'],
  usage: [2, 'the command line or what it names is not valid'],
  notAuthenticated: [3, 'not logged in, or the token was not accepted'],
  refused: [4, 'the registry or the command refuses'],
  notFound: [5, 'no such pack, version or file'],
  verification: [6, 'the bytes, the manifest or a signature are not what they should be'],
  conflict: [7, 'something else is already there'],
  unavailable: [8, 'the registry or the issuer cannot be reached'],
} as const satisfies Readonly<Record<string, readonly [code: number, meaning: string]>>;

type ExitReason = keyof typeof EXIT_CODES;

const REASON_OF: Readonly<Record<ErrorCode, ExitReason>> = {
  ERR_PACK_AUTHENTICATION: 'notAuthenticated',
  ERR_PACK_SCOPE: 'refused',
  ERR_PACK_REQUEST_INVALID: 'usage',
  ERR_PACK_NOT_FOUND: 'notFound',
  ERR_PACK_ID_INVALID: 'usage',
  ERR_PACK_VERSION_INVALID: 'usage',
  ERR_PACK_DIGEST_INVALID: 'usage',
  ERR_PACK_DIGEST_MISMATCH: 'verification',
  ERR_PACK_TOO_LARGE: 'refused',
  ERR_PACK_BUNDLE_INVALID: 'verification',
  ERR_PACK_BUNDLE_PATH: 'verification',
  ERR_PACK_BUNDLE_LIMIT: 'verification',
  ERR_PACK_MANIFEST_MISSING: 'verification',
  ERR_PACK_MANIFEST_YAML: 'verification',
  ERR_PACK_MANIFEST_SCHEMA: 'verification',
  ERR_PACK_MANIFEST_MISMATCH: 'verification',
  ERR_PACK_SIGNATURE_MISSING: 'refused',
  ERR_PACK_SIGNATURE_INVALID: 'verification',
  ERR_PACK_SIGNATURE_UNTRUSTED: 'verification',
  ERR_PACK_ATTESTATION_INVALID: 'refused',
  ERR_PACK_ATTESTATION_MISSING: 'refused',
  ERR_PACK_POLICY_MISSING: 'refused',
  ERR_PACK_POLICY_INVALID: 'usage',
  ERR_PACK_TRUST_INVALID: 'usage',
  ERR_PACK_VERDICT_REJECTED: 'refused',
  ERR_PACK_VISIBILITY: 'refused',
  ERR_PACK_DEPENDENCY: 'refused',
  ERR_PACK_VERSION_EXISTS: 'conflict',
  ERR_PACK_TYPE_CHANGED: 'conflict',
  ERR_PACK_WITHDRAWN: 'refused',
  ERR_PACK_CHANNEL_UNKNOWN: 'usage',
  ERR_PACK_LIFECYCLE: 'conflict',
  ERR_PACK_SEALED: 'refused',
  ERR_PACK_APPROVAL: 'refused',
  ERR_PACK_IDEMPOTENCY_MISMATCH: 'conflict',
  ERR_PACK_CONFLICT: 'conflict',
  ERR_PACK_APPEND_ONLY: 'refused',
  ERR_PACK_PRECONDITION: 'conflict',
  ERR_PACK_RANGE: 'unexpected',
  ERR_PACK_LIMIT: 'unavailable',
  ERR_PACK_CORRUPT: 'verification',
  ERR_OCI_NAME_INVALID: 'usage',
  ERR_OCI_REFERENCE_INVALID: 'usage',
  ERR_OCI_MANIFEST_INVALID: 'verification',
  ERR_OCI_MANIFEST_UNKNOWN: 'notFound',
  ERR_OCI_MANIFEST_BLOB_UNKNOWN: 'notFound',
  ERR_OCI_BLOB_UNKNOWN: 'notFound',
  ERR_OCI_REPOSITORY_UNKNOWN: 'notFound',
  ERR_OCI_REPOSITORY_KIND: 'conflict',
  ERR_OCI_UPLOAD_UNKNOWN: 'notFound',
  ERR_OCI_UPLOAD_RANGE: 'conflict',
  ERR_OCI_UPLOAD_BUSY: 'conflict',
  ERR_OCI_TAG_PROTECTED: 'refused',
  ERR_OCI_REFERENCED: 'refused',
  ERR_OCI_DENIED: 'refused',
  ERR_OCI_UNSUPPORTED: 'refused',
  ERR_KIT_UNSIGNED: 'verification',
  ERR_KIT_SIGNER: 'verification',
  ERR_KIT_DIGEST: 'verification',
  ERR_KIT_BLOB_MISSING: 'verification',
  ERR_KIT_BLOB_EXTRA: 'verification',
  ERR_KIT_TRUNCATED: 'verification',
  ERR_KIT_INDEX: 'verification',
  ERR_KIT_FORMAT: 'verification',
  ERR_KIT_LIMIT: 'verification',
  ERR_KIT_TENANT: 'refused',
  ERR_KIT_STALE: 'conflict',
  ERR_KIT_CONFLICT: 'conflict',
  ERR_KIT_NOT_READY: 'conflict',
  ERR_KIT_NO_KEY: 'refused',
  ERR_PACK_UNAVAILABLE: 'unavailable',
  ERR_PACK_INTERNAL: 'unexpected',
  ERR_PARITY_NOT_FOUND: 'notFound',
  ERR_PARITY_ATTEMPTS: 'unexpected',
  ERR_PARITY_OUT_OF_STEP: 'verification',
  ERR_MIRROR_NOT_FOUND: 'notFound',
  ERR_MIRROR_EXISTS: 'conflict',
  ERR_MIRROR_BUSY: 'conflict',
  ERR_MIRROR_DISABLED: 'conflict',
  ERR_MIRROR_TARGET_INVALID: 'usage',
  ERR_MIRROR_TARGET_FULL: 'unavailable',
  ERR_MIRROR_TARGET_UNWRITABLE: 'unavailable',
  ERR_MIRROR_TARGET_UNAVAILABLE: 'unavailable',
  ERR_MIRROR_CORRUPT: 'verification',
  ERR_MIRROR_DEADLINE: 'unavailable',
  ERR_MIRROR_ATTEMPTS: 'unexpected',
  ERR_REGISTRY_NOT_ALLOWED: 'refused',
  ERR_REGISTRY_UNAVAILABLE: 'unavailable',
  ERR_REGISTRY_DENIED: 'refused',
  ERR_REGISTRY_REFUSED: 'unavailable',
  ERR_REGISTRY_CORRUPT: 'verification',
};

export function exitCodeOf(error: unknown): number {
  return EXIT_CODES[reasonOf(error)][0];
}

function reasonOf(error: unknown): ExitReason {
  if (error instanceof DomainError) return REASON_OF[error.code];
  if (error instanceof RegistryProblem) return isKnown(error.code) ? REASON_OF[error.code] : reasonOfStatus(error.status);
  if (error instanceof CommanderError) return error.exitCode === 0 ? 'ok' : 'usage';
  return isMissingFile(error) ? 'notFound' : 'unexpected';
}

function isKnown(code: string): code is ErrorCode {
  return Object.hasOwn(REASON_OF, code);
}

/** For answers that do not come from the registry itself, such as a proxy's. */
function reasonOfStatus(status: number): ExitReason {
  if (status === 401) return 'notAuthenticated';
  if (status === 404) return 'notFound';
  if (status === 409 || status === 412) return 'conflict';
  if (status === 429 || status >= 500) return 'unavailable';
  return status >= 400 ? 'refused' : 'unexpected';
}

function isMissingFile(error: unknown): boolean {
  return typeof error === 'object' && error !== null && 'code' in error && error.code === 'ENOENT';
}
