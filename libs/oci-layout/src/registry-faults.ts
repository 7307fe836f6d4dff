import { DomainError, type ErrorCode } from '@packs/domain';

interface Meaning {
  readonly code: ErrorCode;
  readonly retry: 'never' | 'later';
}

const MEANINGS: Readonly<Partial<Record<ErrorCode, Meaning>>> = {
  ERR_REGISTRY_UNAVAILABLE: { code: 'ERR_MIRROR_TARGET_UNAVAILABLE', retry: 'later' },
  ERR_REGISTRY_DENIED: { code: 'ERR_MIRROR_TARGET_UNWRITABLE', retry: 'later' },
  // Credentials that cannot be read.
  ERR_PACK_AUTHENTICATION: { code: 'ERR_MIRROR_TARGET_UNWRITABLE', retry: 'later' },
  ERR_REGISTRY_REFUSED: { code: 'ERR_MIRROR_TARGET_UNWRITABLE', retry: 'later' },
  ERR_REGISTRY_CORRUPT: { code: 'ERR_MIRROR_CORRUPT', retry: 'later' },
  ERR_REGISTRY_NOT_ALLOWED: { code: 'ERR_MIRROR_TARGET_INVALID', retry: 'never' },
};
/** Payload Too Large, Insufficient Storage. */
const FULL = [413, 507];

/** Runs work at the mirror's registry; what the registry says becomes what a job can report. */
export async function onRegistry<T>(location: string, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    throw toMirrorFault(location, error);
  }
}

/** The registry sets this tag itself: another registry of this software does so with those of a pack's channels. */
export function isTagProtected(error: unknown): boolean {
  return error instanceof DomainError && error.code === 'ERR_REGISTRY_DENIED' && error.details['ownCode'] === 'ERR_OCI_TAG_PROTECTED';
}

export function toMirrorFault(location: string, error: unknown): unknown {
  const meaning = error instanceof DomainError ? MEANINGS[error.code] : undefined;
  if (!(error instanceof DomainError) || !meaning) return error;
  const code = FULL.includes(Number(error.details['status'])) ? 'ERR_MIRROR_TARGET_FULL' : meaning.code;
  return new DomainError(code, `mirror location ${location}: ${error.message}`, {
    retry: meaning.retry,
    details: error.details,
    cause: error,
    ...(meaning.code === 'ERR_MIRROR_TARGET_INVALID' && { errors: [{ field: 'location', message: error.message }] }),
  });
}
