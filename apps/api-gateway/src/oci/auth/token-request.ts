import { DomainError } from '@packs/domain';
import { TOKEN_SERVICE } from './public-url';
import { parseScopes, type AskedScope } from './scopes';

/** Longer than any access token that is looked at. */
const CREDENTIAL_MAX_LENGTH = 8192;
const PARAMETER_MAX_LENGTH = 256;

export type Credentials =
  | { readonly kind: 'none' }
  | { readonly kind: 'token'; readonly token: string }
  /** A client with its secret, or any name with an access token. */
  | { readonly kind: 'password'; readonly user: string; readonly password: string };

export interface TokenQuestion {
  readonly credentials: Credentials;
  readonly scopes: readonly AskedScope[];
}

/** GET (distribution "Token Authentication Specification"). @throws DomainError ERR_PACK_REQUEST_INVALID naming the parameter */
export function readQuery(query: URLSearchParams, authorization: string | undefined): TokenQuestion {
  checkParameters(query);
  return { credentials: credentialsIn(authorization), scopes: parseScopes(query.getAll('scope')) };
}

/**
 * POST (distribution "OAuth2 Token Authentication"; RFC 6749 §4.3, §4.4). Without refresh tokens: nobody gets one here.
 * @throws DomainError ERR_PACK_REQUEST_INVALID naming the parameter
 */
export function readForm(form: URLSearchParams, authorization: string | undefined): TokenQuestion {
  checkParameters(form);
  return { credentials: credentialsOfGrant(form, authorization), scopes: parseScopes(form.getAll('scope')) };
}

function credentialsOfGrant(form: URLSearchParams, authorization: string | undefined): Credentials {
  const grant = form.get('grant_type');
  if (grant === null) throw invalid('grant_type', 'is required: password or client_credentials');
  if (grant === 'password') {
    // RFC 6749 §2.3: one way to authenticate a request.
    if (authorization !== undefined) throw invalid('Authorization', 'may not be sent beside a password');
    return { kind: 'password', user: required(form, 'username'), password: required(form, 'password') };
  }
  if (grant === 'client_credentials') {
    const secret = form.get('client_secret');
    if (secret === null && authorization !== undefined) return credentialsIn(authorization);
    if (authorization !== undefined) throw invalid('client_secret', 'may not be sent beside Authorization');
    return { kind: 'password', user: required(form, 'client_id'), password: required(form, 'client_secret') };
  }
  throw invalid('grant_type', 'is none of password and client_credentials', 'unsupported_grant_type');
}

/** RFC 7617, RFC 6750 §2.1 and RFC 9449 §7.1; whether a token is bound is seen by the token. */
function credentialsIn(authorization: string | undefined): Credentials {
  if (authorization === undefined) return { kind: 'none' };
  const [, scheme = '', value = ''] = /^(\w+) +(\S+)$/.exec(authorization) ?? [];
  if (scheme.toLowerCase() === 'bearer' || scheme.toLowerCase() === 'dpop') return { kind: 'token', token: value };
  const [, user, password] = (scheme.toLowerCase() === 'basic' && /^([^:]*):(.*)$/s.exec(Buffer.from(value, 'base64').toString())) || [];
  if (user === undefined || password === undefined)
    throw invalid('Authorization', 'is neither Basic with a name and a password nor a token');
  return { kind: 'password', user, password };
}

function checkParameters(parameters: URLSearchParams): void {
  for (const name of ['service', 'grant_type', 'client_id', 'account', 'username']) {
    const values = parameters.getAll(name);
    if (values.length > 1) throw invalid(name, 'may be given once');
    if ((values[0]?.length ?? 0) > PARAMETER_MAX_LENGTH) throw invalid(name, `may have ${PARAMETER_MAX_LENGTH} characters`);
  }
  for (const name of ['password', 'client_secret']) {
    const values = parameters.getAll(name);
    if (values.length > 1) throw invalid(name, 'may be given once');
    if ((values[0]?.length ?? 0) > CREDENTIAL_MAX_LENGTH) throw invalid(name, `may have ${CREDENTIAL_MAX_LENGTH} characters`);
  }
  const service = parameters.get('service');
  if (service !== null && service !== TOKEN_SERVICE) throw invalid('service', `is not ${TOKEN_SERVICE}`);
}

function required(form: URLSearchParams, name: string): string {
  const value = form.get(name);
  if (!value) throw invalid(name, 'is required');
  return value;
}

function invalid(field: string, message: string, oauth = 'invalid_request'): DomainError {
  return new DomainError('ERR_PACK_REQUEST_INVALID', `${field} ${message}`, { details: { oauth }, errors: [{ field, message }] });
}
