/** Stable codes of every refusal and failure the product speaks of; `libs/contracts/errors` gives each its HTTP face. */
export type ErrorCode =
  | 'ERR_PACK_AUTHENTICATION'
  | 'ERR_PACK_SCOPE'
  | 'ERR_PACK_REQUEST_INVALID'
  | 'ERR_PACK_NOT_FOUND'
  | 'ERR_PACK_ID_INVALID'
  | 'ERR_PACK_VERSION_INVALID'
  | 'ERR_PACK_DIGEST_INVALID'
  | 'ERR_PACK_DIGEST_MISMATCH'
  | 'ERR_PACK_TOO_LARGE'
  | 'ERR_PACK_BUNDLE_INVALID'
  | 'ERR_PACK_BUNDLE_PATH'
  | 'ERR_PACK_BUNDLE_LIMIT'
  | 'ERR_PACK_MANIFEST_MISSING'
  | 'ERR_PACK_MANIFEST_YAML'
  | 'ERR_PACK_MANIFEST_SCHEMA'
  | 'ERR_PACK_MANIFEST_MISMATCH'
  | 'ERR_PACK_SIGNATURE_MISSING'
  | 'ERR_PACK_SIGNATURE_INVALID'
  | 'ERR_PACK_SIGNATURE_UNTRUSTED'
  | 'ERR_PACK_ATTESTATION_INVALID'
  | 'ERR_PACK_ATTESTATION_MISSING'
  | 'ERR_PACK_POLICY_MISSING'
  | 'ERR_PACK_POLICY_INVALID'
  | 'ERR_PACK_TRUST_INVALID'
  | 'ERR_PACK_VERDICT_REJECTED'
  | 'ERR_PACK_VISIBILITY'
  | 'ERR_PACK_DEPENDENCY'
  | 'ERR_PACK_VERSION_EXISTS'
  | 'ERR_PACK_TYPE_CHANGED'
  | 'ERR_PACK_WITHDRAWN'
  | 'ERR_PACK_CHANNEL_UNKNOWN'
  | 'ERR_PACK_LIFECYCLE'
  | 'ERR_PACK_SEALED'
  | 'ERR_PACK_APPROVAL'
  | 'ERR_PACK_IDEMPOTENCY_MISMATCH'
  | 'ERR_PACK_CONFLICT'
  | 'ERR_PACK_APPEND_ONLY'
  | 'ERR_PACK_PRECONDITION'
  | 'ERR_PACK_RANGE'
  | 'ERR_PACK_LIMIT'
  | 'ERR_PACK_CORRUPT'
  | 'ERR_OCI_NAME_INVALID'
  | 'ERR_OCI_REFERENCE_INVALID'
  | 'ERR_OCI_MANIFEST_INVALID'
  | 'ERR_OCI_MANIFEST_UNKNOWN'
  | 'ERR_OCI_MANIFEST_BLOB_UNKNOWN'
  | 'ERR_OCI_BLOB_UNKNOWN'
  | 'ERR_OCI_REPOSITORY_UNKNOWN'
  | 'ERR_OCI_REPOSITORY_KIND'
  | 'ERR_OCI_UPLOAD_UNKNOWN'
  | 'ERR_OCI_UPLOAD_RANGE'
  | 'ERR_OCI_UPLOAD_BUSY'
  | 'ERR_OCI_TAG_PROTECTED'
  | 'ERR_OCI_REFERENCED'
  | 'ERR_OCI_DENIED'
  | 'ERR_OCI_UNSUPPORTED'
  | 'ERR_KIT_UNSIGNED'
  | 'ERR_KIT_SIGNER'
  | 'ERR_KIT_DIGEST'
  | 'ERR_KIT_BLOB_MISSING'
  | 'ERR_KIT_BLOB_EXTRA'
  | 'ERR_KIT_TRUNCATED'
  | 'ERR_KIT_INDEX'
  | 'ERR_KIT_FORMAT'
  | 'ERR_KIT_LIMIT'
  | 'ERR_KIT_TENANT'
  | 'ERR_KIT_STALE'
  | 'ERR_KIT_CONFLICT'
  | 'ERR_KIT_NOT_READY'
  | 'ERR_KIT_NO_KEY'
  | 'ERR_PACK_UNAVAILABLE'
  | 'ERR_PACK_INTERNAL'
  | 'ERR_PARITY_NOT_FOUND'
  | 'ERR_PARITY_ATTEMPTS'
  | 'ERR_PARITY_OUT_OF_STEP'
  | 'ERR_MIRROR_NOT_FOUND'
  | 'ERR_MIRROR_EXISTS'
  | 'ERR_MIRROR_BUSY'
  | 'ERR_MIRROR_DISABLED'
  | 'ERR_MIRROR_TARGET_INVALID'
  | 'ERR_MIRROR_TARGET_FULL'
  | 'ERR_MIRROR_TARGET_UNWRITABLE'
  | 'ERR_MIRROR_TARGET_UNAVAILABLE'
  | 'ERR_MIRROR_CORRUPT'
  | 'ERR_MIRROR_DEADLINE'
  | 'ERR_MIRROR_ATTEMPTS'
  | 'ERR_REGISTRY_NOT_ALLOWED'
  | 'ERR_REGISTRY_UNAVAILABLE'
  | 'ERR_REGISTRY_DENIED'
  | 'ERR_REGISTRY_REFUSED'
  | 'ERR_REGISTRY_CORRUPT';

/** One fault of one field. `pointer` is an RFC 6901 JSON pointer into the document, `field` the name of a parameter or header. */
export interface FieldFault {
  readonly pointer?: string;
  readonly field?: string;
  readonly message: string;
}

export interface DomainErrorOptions {
  /** Safe to show to the caller: ids, limits, digests. Never secrets or bodies. */
  readonly details?: Readonly<Record<string, unknown>>;
  readonly errors?: readonly FieldFault[];
  /** `later`: the same request may succeed when repeated; `never`: it will not. */
  readonly retry?: 'never' | 'later';
  readonly cause?: unknown;
}

/** An expected failure. `message` is safe to show; nothing in it knows of HTTP. */
export class DomainError extends Error {
  readonly code: ErrorCode;
  readonly details: Readonly<Record<string, unknown>>;
  readonly errors: readonly FieldFault[];
  readonly retry: 'never' | 'later';

  constructor(code: ErrorCode, message: string, options: DomainErrorOptions = {}) {
    super(message, { cause: options.cause });
    this.name = 'DomainError';
    this.code = code;
    this.details = options.details ?? {};
    this.errors = options.errors ?? [];
    this.retry = options.retry ?? 'never';
  }
}
