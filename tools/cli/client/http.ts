import { DomainError } from '@packs/domain';
import { CLI_VERSION } from '../version';

const USER_AGENT = `stella/${CLI_VERSION}`;

/** `fetch` that names itself, follows no redirect (a token must not travel further) and says plainly when nobody answers. */
export async function send(url: URL, init: RequestInit = {}): Promise<Response> {
  const headers = new Headers(init.headers);
  headers.set('user-agent', USER_AGENT);
  try {
    return await fetch(url, { ...init, headers, redirect: 'error' });
  } catch (error) {
    throw new DomainError('ERR_PACK_UNAVAILABLE', `${url.origin} cannot be reached: ${reasonOf(error)}`, { retry: 'later', cause: error });
  }
}

/** fetch hides the reason in the cause. */
export function reasonOf(error: unknown): string {
  const { message, cause } = error as {
    readonly message?: string;
    readonly cause?: { readonly code?: unknown; readonly message?: string };
  };
  return typeof cause?.code === 'string' ? cause.code : (cause?.message ?? message ?? 'unknown reason');
}

const LOOPBACK = /^(?:localhost|127(?:\.\d+){3}|\[::1\])$/;

/**
 * An http(s) URL without credentials, query or trailing slash. Plain http is for the own machine: secrets and tokens would travel in the open.
 * @throws DomainError ERR_PACK_REQUEST_INVALID
 */
export function parseBaseUrl(text: string, field: string, options: { readonly insecure?: boolean } = {}): string {
  const url = URL.canParse(text) ? new URL(text) : undefined;
  const invalid = (message: string): DomainError =>
    new DomainError('ERR_PACK_REQUEST_INVALID', `${field} ${message}`, { errors: [{ field, message }] });
  if (!url || !['http:', 'https:'].includes(url.protocol)) throw invalid('must be an http or https URL');
  if (url.username || url.password || url.search || url.hash) throw invalid('must have no user, query or fragment');
  if (url.protocol === 'http:' && !LOOPBACK.test(url.hostname) && !options.insecure) {
    throw invalid('must be https unless it is on this machine (or --insecure-http is given)');
  }
  return url.href.replace(/\/+$/, '');
}
