import { DomainError } from '@packs/domain';

/** RFC 3339, and no leap seconds. */
const TIME = /^(\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2})(\.\d{1,9})?(Z|[+-]\d{2}:\d{2})$/;

/** The members of an object that has none but these. @throws DomainError ERR_PACK_TRUST_INVALID */
export function members(value: unknown, at: string, known: readonly string[]): Readonly<Record<string, unknown>> {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) throw fault(at, `${at || 'trust material'} is not an object`);
  if (Object.keys(value).some(name => !known.includes(name)))
    throw fault(at, `${at || 'trust material'} has members other than ${known.join(', ')}`);
  return value as Readonly<Record<string, unknown>>;
}

/** One spelling for each moment, to the millisecond. @throws DomainError ERR_PACK_TRUST_INVALID */
export function time(value: unknown, at: string): string {
  const [, local] = (typeof value === 'string' && TIME.exec(value)) || [];
  const moment = typeof value === 'string' && local !== undefined && isOnCalendar(local) ? new Date(value) : undefined;
  if (!moment || Number.isNaN(moment.getTime())) throw fault(at, `${at} is not a time as in 2026-05-01T00:00:00Z`);
  return moment.toISOString();
}

/** The 31st of April is taken for the 1st of May elsewhere. */
function isOnCalendar(local: string): boolean {
  const moment = new Date(`${local}Z`);
  return !Number.isNaN(moment.getTime()) && moment.toISOString().startsWith(local);
}

export function optionalTime(value: unknown, at: string): string | undefined {
  return value === undefined ? undefined : time(value, at);
}

/** @throws DomainError ERR_PACK_TRUST_INVALID */
export function list(value: unknown, at: string, max: number): readonly unknown[] {
  if (!Array.isArray(value)) throw fault(at, `${at} is not an array`);
  if (value.length > max) throw fault(at, `${at} has more than ${max} items`);
  return value;
}

/** @throws DomainError ERR_PACK_TRUST_INVALID */
export function line(value: unknown, at: string, max: number): string {
  if (typeof value !== 'string' || value.trim() === '' || value.length > max || /\p{Cc}/u.test(value) || !value.isWellFormed())
    throw fault(at, `${at} is not a line of 1 to ${max} characters`);
  return value;
}

export function fault(pointer: string, message: string): DomainError {
  return new DomainError('ERR_PACK_TRUST_INVALID', message, { errors: [{ pointer, message }] });
}
