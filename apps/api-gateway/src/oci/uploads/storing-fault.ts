import { isNativeError } from 'node:util/types';
import { DomainError } from '@packs/domain';

const FULL: readonly unknown[] = ['ENOSPC', 'EDQUOT'];

/** A store without room is no fault of the request's: it may be repeated when there is some again. */
export function storingFault(error: unknown): unknown {
  if (!isNativeError(error) || !('code' in error) || !FULL.includes(error.code)) return error;
  return new DomainError('ERR_PACK_UNAVAILABLE', 'the registry has no room left; try again later', { retry: 'later', cause: error });
}
