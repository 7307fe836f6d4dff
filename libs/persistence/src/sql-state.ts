import { isNativeError } from 'node:util/types';

/** As servers up to 17 name it, and later ones. */
export function isForeignKeyViolation(error: unknown): boolean {
  const state = sqlStateOf(error);
  return state === '23503' || state === '23001';
}

/** A statement that had no time left, or that somebody ended. */
export function isCancelled(error: unknown): boolean {
  return sqlStateOf(error) === '57014';
}

function sqlStateOf(error: unknown): unknown {
  return isNativeError(error) && 'code' in error ? error.code : undefined;
}
