import { DomainError } from '@packs/domain';

export interface JobFault {
  readonly code: string;
  /** Safe to show. */
  readonly message: string;
}

export type RetryDecision =
  { readonly kind: 'retry'; readonly delayMs: number; readonly fault: JobFault } | { readonly kind: 'fail'; readonly fault: JobFault };

const FIRST_DELAY_MS = 1_000;
const LAST_DELAY_MS = 5 * 60_000;

/**
 * @param attempt 1 for the first
 * A part of the registry that is down is waited for without end; a target gets `attempts`; a refusal is final at once.
 */
export function decideRetry(error: unknown, attempt: number, attempts: number): RetryDecision {
  const fault = faultOf(error);
  const delayMs = Math.min(FIRST_DELAY_MS * 2 ** Math.min(attempt - 1, 20), LAST_DELAY_MS);
  if (fault.code === 'ERR_PACK_UNAVAILABLE') return { kind: 'retry', delayMs, fault };
  const final = error instanceof DomainError && error.retry === 'never';
  return final || attempt >= attempts ? { kind: 'fail', fault } : { kind: 'retry', delayMs, fault };
}

function faultOf(error: unknown): JobFault {
  if (error instanceof DomainError) return { code: error.code, message: error.message };
  return { code: 'ERR_PACK_INTERNAL', message: 'internal error' };
}
