import type { ErrorCode } from '@packs/domain';

/** The HTTP face of each domain code (RFC 9457). */
export interface ProblemKind {
  readonly status: number;
  readonly title: string;
}

export const PROBLEMS: Readonly<Record<ErrorCode, ProblemKind>> = {
  ERR_PACK_AUTHENTICATION: { status: 401, title: 'A valid bearer token is required' },
  ERR_PACK_SCOPE: { status: 403, title: 'The token lacks a tenant or a scope this needs' },
  ERR_PACK_REQUEST_INVALID: { status: 400, title: 'The request is not valid' },
  ERR_PACK_NOT_FOUND: { status: 404, title: 'Not found' },
  ERR_PACK_ID_INVALID: { status: 400, title: 'The pack id is not valid' },
  ERR_PACK_VERSION_INVALID: { status: 400, title: 'The version is not SemVer' },
  ERR_PACK_DIGEST_INVALID: { status: 400, title: 'The digest is not valid' },
  ERR_PACK_DIGEST_MISMATCH: { status: 400, title: 'The bytes do not have the declared digest' },
  ERR_PACK_TOO_LARGE: { status: 413, title: 'The body is too large' },
  ERR_PACK_BUNDLE_INVALID: { status: 422, title: 'The bundle is not a readable tar.gz' },
  ERR_PACK_BUNDLE_PATH: { status: 422, title: 'The bundle has an entry that is not allowed' },
  ERR_PACK_BUNDLE_LIMIT: { status: 422, title: 'The bundle exceeds a limit' },
  ERR_PACK_MANIFEST_MISSING: { status: 422, title: 'The bundle has no pack.yaml' },
  ERR_PACK_MANIFEST_YAML: { status: 422, title: 'pack.yaml is not acceptable YAML' },
  ERR_PACK_MANIFEST_SCHEMA: { status: 422, title: 'pack.yaml does not follow its schema' },
  ERR_PACK_MANIFEST_MISMATCH: { status: 422, title: 'pack.yaml does not say what the request says' },
  ERR_PACK_SIGNATURE_MISSING: { status: 422, title: 'The signing policy requires a signature' },
  ERR_PACK_SIGNATURE_INVALID: { status: 422, title: 'A signature does not verify' },
  ERR_PACK_SIGNATURE_UNTRUSTED: { status: 422, title: 'A signature is not by a trusted key' },
  ERR_PACK_POLICY_MISSING: { status: 422, title: 'No signing policy covers this pack' },
  ERR_PACK_POLICY_INVALID: { status: 400, title: 'The signing policy is not valid' },
  ERR_PACK_TRUST_INVALID: { status: 400, title: 'The trust material is not valid' },
  ERR_PACK_VERDICT_REJECTED: { status: 422, title: 'The pack was not accepted' },
  ERR_PACK_VISIBILITY: { status: 422, title: 'The pack may not be made visible to these tenants' },
  ERR_PACK_DEPENDENCY: { status: 422, title: 'A pack this one needs is not there' },
  ERR_PACK_VERSION_EXISTS: { status: 409, title: 'This version exists with other content' },
  ERR_PACK_TYPE_CHANGED: { status: 409, title: 'A pack keeps its type' },
  ERR_PACK_WITHDRAWN: { status: 403, title: 'This version is withdrawn' },
  ERR_PACK_IDEMPOTENCY_MISMATCH: { status: 422, title: 'The idempotency key was used for another request' },
  ERR_PACK_CONFLICT: { status: 409, title: 'Another change came first' },
  ERR_PACK_PRECONDITION: { status: 412, title: 'A precondition does not hold' },
  ERR_PACK_RANGE: { status: 416, title: 'The range cannot be satisfied' },
  ERR_PACK_LIMIT: { status: 429, title: 'A limit is reached' },
  ERR_PACK_CORRUPT: { status: 500, title: 'Stored bytes are damaged' },
  ERR_PACK_UNAVAILABLE: { status: 503, title: 'A part of the registry is not available' },
  ERR_PACK_INTERNAL: { status: 500, title: 'Internal error' },
};
