import type { IncomingHttpHeaders } from 'node:http';
import { DomainError, type ErrorCode } from '@packs/domain';

/** May succeed when it is tried again: the connection broke, or the registry says that it is busy or broken. */
export class Transient extends Error {
  constructor(
    /** Safe to show. */
    message: string,
    readonly retryAfterMs?: number,
    cause?: unknown,
  ) {
    super(message, { cause });
    this.name = 'Transient';
  }
}

export function registryFault(
  code: Extract<ErrorCode, `ERR_REGISTRY_${string}`>,
  host: string,
  message: string,
  options: { readonly details?: Readonly<Record<string, unknown>>; readonly cause?: unknown } = {},
): DomainError {
  const retry = code === 'ERR_REGISTRY_UNAVAILABLE' ? 'later' : 'never';
  return new DomainError(code, `registry ${host}: ${message}`, { ...options, retry });
}

const ERROR_CODE = /^[A-Z_]{1,40}$/;

/** What an answer that is not the one expected means. Of its body only the error code is repeated: a message may hold anything. */
export function refusal(host: string, what: string, status: number, body: Buffer): DomainError {
  const { code, own } = errorCodesOf(body);
  const said = code === undefined ? `${status}` : `${status} ${code}`;
  const details = { status, ...(code !== undefined && { ociCode: code }), ...(own !== undefined && { ownCode: own }) };
  const denied = status === 401 || status === 403;
  return registryFault(denied ? 'ERR_REGISTRY_DENIED' : 'ERR_REGISTRY_REFUSED', host, `${what} was answered with ${said}`, { details });
}

export function isTransientStatus(status: number): boolean {
  return status === 408 || status === 429 || (status >= 500 && status !== 501 && status !== 507);
}

/** RFC 9110 §10.2.3: seconds or a date. */
export function retryAfterMs(headers: IncomingHttpHeaders, wallClock = Date.now()): number | undefined {
  const text = headers['retry-after'];
  if (text === undefined) return undefined;
  const ms = /^\d+$/.test(text) ? Number(text) * 1_000 : Date.parse(text) - wallClock;
  return Number.isFinite(ms) ? Math.max(0, ms) : undefined;
}

/** The code of the specification, and the finer one that a registry may add in `detail`, as we do. */
function errorCodesOf(body: Buffer): { readonly code?: string; readonly own?: string } {
  const codeIn = (value: unknown): string | undefined => (typeof value === 'string' && ERROR_CODE.test(value) ? value : undefined);
  try {
    const parsed = JSON.parse(body.toString('utf8')) as { errors?: { code?: unknown; detail?: { code?: unknown } | null }[] } | null;
    const first = parsed?.errors?.[0];
    return { code: codeIn(first?.code), own: codeIn(first?.detail?.code) };
  } catch {
    return {};
  }
}
