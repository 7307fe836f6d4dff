import type { HttpAnswer } from './guarded-http';
import type { RegistryCalls } from './registry-calls';

/** RFC 8288: `<address>; rel="next"`. @throws DomainError ERR_REGISTRY_NOT_ALLOWED */
export function nextPage({ headers }: Pick<HttpAnswer, 'headers'>, path: string, calls: RegistryCalls): string | undefined {
  const link = headers.link;
  const next = /<([^>]*)>\s*;[^,]*rel="?next"?/.exec(typeof link === 'string' ? link : '')?.[1];
  return next === undefined ? undefined : calls.pathOf(next, path);
}

/** Of pages that lead on and on. */
export function endless(calls: RegistryCalls, what: string): Error {
  return calls.fault('ERR_REGISTRY_CORRUPT', `its list of ${what} has no end`);
}
