import { DomainError } from '@packs/domain';
import type { TokenVerifier } from '@packs/ports';
import type { onRequestAsyncHookHandler } from 'fastify';
import { OCI_PATHS, PUBLIC_PATHS, type AuthenticatedRequest } from './access';

/** JSON bodies above this size are for few routes. */
const JSON_MAX_BYTES = 512 * 1024;
const LARGE_JSON_PATHS: ReadonlySet<string> = new Set(['/packs', '/api/trust/bundle']);

/** Looks at the token before anything of the body is read. */
export function authenticate(tokens: TokenVerifier): onRequestAsyncHookHandler {
  return async (request: AuthenticatedRequest) => {
    const path = request.routeOptions.url ?? '';
    if (PUBLIC_PATHS.has(path) || OCI_PATHS.has(path)) return;
    request.principal = await tokens.verify(bearerToken(request.headers.authorization));
    const isJson = request.headers['content-type']?.startsWith('application/json');
    if (isJson && !LARGE_JSON_PATHS.has(path) && Number(request.headers['content-length'] ?? 0) > JSON_MAX_BYTES) {
      throw new DomainError('ERR_PACK_TOO_LARGE', `a JSON body may have ${JSON_MAX_BYTES} bytes here`, {
        details: { maxBytes: JSON_MAX_BYTES },
      });
    }
  };
}

/** RFC 6750 §2.1: the scheme's name is case-insensitive. */
function bearerToken(header: string | undefined): string {
  const [scheme, token, ...rest] = (header ?? '').split(' ');
  if (scheme?.toLowerCase() === 'bearer' && token && rest.length === 0) return token;
  throw new DomainError('ERR_PACK_AUTHENTICATION', 'a bearer token is required: Authorization: Bearer <token>');
}
