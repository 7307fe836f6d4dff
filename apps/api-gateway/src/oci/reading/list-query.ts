import { DomainError } from '@packs/domain';
import type { FastifyRequest } from 'fastify';

/** One query parameter. @throws DomainError ERR_PACK_REQUEST_INVALID when it is given twice */
export function parameter(request: FastifyRequest, name: string): string | undefined {
  const value = (request.query as Record<string, unknown>)[name];
  if (value === undefined || typeof value === 'string') return value;
  throw invalid(name, 'is given more than once');
}

/**
 * `n` of distribution-spec "Listing Tags": as many entries as the client wants, and at most `max`.
 * @throws DomainError ERR_PACK_REQUEST_INVALID
 */
export function pageSize(request: FastifyRequest, max: number): number {
  const text = parameter(request, 'n');
  if (text === undefined) return max;
  if (!/^\d{1,9}$/.test(text)) throw invalid('n', 'must be a whole number');
  return Math.min(Number(text), max);
}

/** RFC 8288: where the page behind this one is. */
export function nextLink(path: string, query: Readonly<Record<string, string | number | undefined>>): string {
  const parameters = new URLSearchParams();
  for (const [name, value] of Object.entries(query)) if (value !== undefined) parameters.set(name, String(value));
  return `<${path}?${parameters.toString()}>; rel="next"`;
}

function invalid(field: string, message: string): DomainError {
  return new DomainError('ERR_PACK_REQUEST_INVALID', `${field} ${message}`, { errors: [{ field, message }] });
}
