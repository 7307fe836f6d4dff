import { DomainError } from './domain-error';

/** Lower-case words joined by single `.`, `_` or `-`: also valid as an OCI repository path component. */
const NAME = /^[a-z0-9]+(?:[._-][a-z0-9]+)*$/;

export const PACK_ID_MAX = 128;
export const TENANT_MAX = 64;
export const CHANNEL_MAX = 64;

/** The source text of the name grammar, for JSON Schemas and OpenAPI. */
export const NAME_PATTERN = NAME.source;

export const PACK_TYPES = ['task', 'policy', 'analyzer', 'bundle'] as const;
export type PackType = (typeof PACK_TYPES)[number];

/** The channel a version is published to when the request names none. */
export const DEFAULT_CHANNEL = 'edge';

export function isName(text: unknown, max: number): text is string {
  return typeof text === 'string' && text.length <= max && NAME.test(text);
}

/** @throws DomainError ERR_PACK_ID_INVALID */
export function parsePackId(text: string): string {
  if (isName(text, PACK_ID_MAX)) return text;
  throw new DomainError('ERR_PACK_ID_INVALID', `packId must match ${NAME_PATTERN} and have at most ${PACK_ID_MAX} characters`, {
    errors: [{ field: 'packId', message: `does not match ${NAME_PATTERN}` }],
  });
}

/** @throws DomainError ERR_PACK_REQUEST_INVALID */
export function parseTenant(text: string, field = 'tenant'): string {
  if (isName(text, TENANT_MAX)) return text;
  throw new DomainError('ERR_PACK_REQUEST_INVALID', `${field} must match ${NAME_PATTERN} and have at most ${TENANT_MAX} characters`, {
    errors: [{ field, message: `does not match ${NAME_PATTERN}` }],
  });
}

/** @throws DomainError ERR_PACK_REQUEST_INVALID */
export function parseChannel(text: string): string {
  if (isName(text, CHANNEL_MAX)) return text;
  throw new DomainError('ERR_PACK_REQUEST_INVALID', `channel must match ${NAME_PATTERN} and have at most ${CHANNEL_MAX} characters`, {
    errors: [{ field: 'channel', message: `does not match ${NAME_PATTERN}` }],
  });
}
