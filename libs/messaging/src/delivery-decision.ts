import { DomainError } from '@packs/domain';

/** What becomes of a message after its handler ran. */
export type DeliveryDecision =
  { readonly kind: 'ack' } | { readonly kind: 'retry'; readonly delayMs: number } | { readonly kind: 'dead'; readonly reason: string };

/** A message that failed this often for reasons of its own is set aside, so that it does not hold up those behind it. */
export const MAX_ATTEMPTS = 8;
const FIRST_DELAY_MS = 200;
const LAST_DELAY_MS = 30_000;

/**
 * @param attempt 1 for the first delivery
 * A part that is down is waited for without end; an error nobody foresaw is tried `MAX_ATTEMPTS` times; a refusal is final at once.
 */
export function decideDelivery(error: unknown, attempt: number): DeliveryDecision {
  if (error === undefined) return { kind: 'ack' };
  const delayMs = Math.min(FIRST_DELAY_MS * 2 ** (attempt - 1), LAST_DELAY_MS);
  if (error instanceof DomainError)
    return error.retry === 'later' ? { kind: 'retry', delayMs } : { kind: 'dead', reason: `${error.code}: ${error.message}` };
  if (attempt < MAX_ATTEMPTS) return { kind: 'retry', delayMs };
  return { kind: 'dead', reason: error instanceof Error ? `${error.name}: ${error.message}` : String(error) };
}
