import { JsonFault, parseStrictJson } from '@packs/domain';

/**
 * Whether a JWT has the one spelling of what it says: base64url without padding, space or spare bits (RFC 7515 §2), and JSON objects in which no
 * member is there twice, of which two readers may take different ones (RFC 7519 §4).
 */
export function isStrictJwt(token: string): boolean {
  const parts = token.split('.');
  const [header = '', payload = ''] = parts;
  return parts.length === 3 && parts.every(isCanonical) && [header, payload].every(isObject);
}

function isCanonical(part: string): boolean {
  return part !== '' && Buffer.from(part, 'base64url').toString('base64url') === part;
}

function isObject(part: string): boolean {
  try {
    const value = parseStrictJson(Buffer.from(part, 'base64url'));
    return typeof value === 'object' && value !== null && !Array.isArray(value);
  } catch (error) {
    if (error instanceof JsonFault) return false;
    throw error;
  }
}
