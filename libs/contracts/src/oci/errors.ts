import type { ErrorCode } from '@packs/domain';
import { PROBLEMS } from '../errors/problems';

/** The codes of distribution-spec "Error Codes", and TOOMANYREQUESTS of the same section. */
type OciErrorCode =
  | 'BLOB_UNKNOWN'
  | 'BLOB_UPLOAD_INVALID'
  | 'BLOB_UPLOAD_UNKNOWN'
  | 'DIGEST_INVALID'
  | 'MANIFEST_BLOB_UNKNOWN'
  | 'MANIFEST_INVALID'
  | 'MANIFEST_UNKNOWN'
  | 'NAME_INVALID'
  | 'NAME_UNKNOWN'
  | 'SIZE_INVALID'
  | 'UNAUTHORIZED'
  | 'DENIED'
  | 'UNSUPPORTED'
  | 'TOOMANYREQUESTS'
  | 'UNKNOWN';

/** Codes whose OCI name does not follow from their status alone. */
const BY_CODE: Partial<Record<ErrorCode, OciErrorCode>> = {
  ERR_OCI_NAME_INVALID: 'NAME_INVALID',
  ERR_OCI_REFERENCE_INVALID: 'MANIFEST_INVALID',
  ERR_OCI_MANIFEST_INVALID: 'MANIFEST_INVALID',
  ERR_OCI_MANIFEST_UNKNOWN: 'MANIFEST_UNKNOWN',
  ERR_OCI_MANIFEST_BLOB_UNKNOWN: 'MANIFEST_BLOB_UNKNOWN',
  ERR_OCI_BLOB_UNKNOWN: 'BLOB_UNKNOWN',
  ERR_OCI_REPOSITORY_UNKNOWN: 'NAME_UNKNOWN',
  ERR_OCI_REPOSITORY_KIND: 'MANIFEST_INVALID',
  ERR_OCI_UPLOAD_UNKNOWN: 'BLOB_UPLOAD_UNKNOWN',
  ERR_OCI_UPLOAD_RANGE: 'BLOB_UPLOAD_INVALID',
  ERR_OCI_UPLOAD_BUSY: 'BLOB_UPLOAD_INVALID',
  ERR_PACK_DIGEST_INVALID: 'DIGEST_INVALID',
  ERR_PACK_DIGEST_MISMATCH: 'DIGEST_INVALID',
  ERR_PACK_VERSION_EXISTS: 'DENIED',
  ERR_PACK_TYPE_CHANGED: 'DENIED',
  ERR_PACK_SEALED: 'DENIED',
};

const BY_STATUS: Readonly<Record<number, OciErrorCode>> = {
  400: 'MANIFEST_INVALID',
  401: 'UNAUTHORIZED',
  403: 'DENIED',
  404: 'NAME_UNKNOWN',
  405: 'UNSUPPORTED',
  409: 'DENIED',
  413: 'SIZE_INVALID',
  416: 'BLOB_UPLOAD_INVALID',
  422: 'MANIFEST_INVALID',
  429: 'TOOMANYREQUESTS',
};

/** A refusal that an OCI client shows as an error of the protocol keeps to the statuses the specification names. */
const STATUS: Partial<Record<ErrorCode, number>> = {
  ERR_PACK_VERSION_EXISTS: 403,
  ERR_PACK_TYPE_CHANGED: 403,
  ERR_PACK_SEALED: 403,
  ERR_OCI_REPOSITORY_KIND: 400,
};

/** The OCI face of each domain code (distribution-spec "Error Codes"). */
export function ociErrorOf(code: ErrorCode): { readonly status: number; readonly code: OciErrorCode } {
  const problem = PROBLEMS[code].status;
  // A verdict on a pushed manifest is 400 MANIFEST_INVALID: 422 is no status of the specification.
  const status = STATUS[code] ?? (problem === 422 ? 400 : problem);
  return { status, code: BY_CODE[code] ?? BY_STATUS[problem] ?? 'UNKNOWN' };
}
