import { DomainError, type ErrorCode } from '@packs/domain';

const CODES: Readonly<Record<string, ErrorCode>> = {
  ENOSPC: 'ERR_MIRROR_TARGET_FULL',
  EDQUOT: 'ERR_MIRROR_TARGET_FULL',
  EFBIG: 'ERR_MIRROR_TARGET_FULL',
  EACCES: 'ERR_MIRROR_TARGET_UNWRITABLE',
  EPERM: 'ERR_MIRROR_TARGET_UNWRITABLE',
  EROFS: 'ERR_MIRROR_TARGET_UNWRITABLE',
  ENOTDIR: 'ERR_MIRROR_TARGET_UNWRITABLE',
  EISDIR: 'ERR_MIRROR_TARGET_UNWRITABLE',
  EEXIST: 'ERR_MIRROR_TARGET_UNWRITABLE',
  ELOOP: 'ERR_MIRROR_TARGET_UNWRITABLE',
};

const MEANING: Partial<Readonly<Record<ErrorCode, string>>> = {
  ERR_MIRROR_TARGET_FULL: 'there is no room',
  ERR_MIRROR_TARGET_UNWRITABLE: 'it cannot be written to',
  ERR_MIRROR_TARGET_UNAVAILABLE: 'it is not there or does not answer',
};

/** Runs work on the target's files; what the file system says becomes what a job can report. The path stays out of the message. */
export async function onTarget<T>(location: string, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    throw toTargetFault(location, error);
  }
}

function toTargetFault(location: string, error: unknown): unknown {
  if (!isSystemError(error)) return error;
  const code = CODES[error.code] ?? 'ERR_MIRROR_TARGET_UNAVAILABLE';
  return new DomainError(code, `mirror location ${location}: ${MEANING[code]} (${error.code})`, { retry: 'later', cause: error });
}

function isSystemError(error: unknown): error is { readonly code: string } {
  return typeof error === 'object' && error !== null && 'syscall' in error && 'code' in error && typeof error.code === 'string';
}
