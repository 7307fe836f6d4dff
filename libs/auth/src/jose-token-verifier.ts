import { readFile } from 'node:fs/promises';
import { canonicalScopes, DomainError, isName, TENANT_MAX, type Principal } from '@packs/domain';
import { TokenVerifier } from '@packs/ports';
import {
  createLocalJWKSet,
  createRemoteJWKSet,
  customFetch,
  errors,
  jwtVerify,
  type FetchImplementation,
  type JSONWebKeySet,
  type JWTPayload,
  type JWTVerifyGetKey,
} from 'jose';
import { discover } from './discovery';
import { isStrictJwt } from './strict-jwt';

export interface AuthorityOptions {
  readonly issuer: string;
  readonly audience: string;
  /** JWKS in a file, in place of the issuer's own. */
  readonly jwksFile?: string;
}

/** Asymmetric algorithms only: a token must not choose how it is checked. */
const ALGORITHMS = ['RS256', 'PS256', 'ES256', 'EdDSA'];
/** A token that says to be something else is no access token (RFC 9068 §2.1; RFC 8725 §3.11); many issuers say nothing. */
const TYPES: readonly unknown[] = [undefined, 'jwt', 'at+jwt', 'application/at+jwt'];
const CLOCK_TOLERANCE_SECONDS = 5;
const TOKEN_MAX_BYTES = 8192;
/** A key id nobody knows makes the keys be fetched again, at most this often. */
const JWKS_COOLDOWN_MS = 5_000;
const JWKS_MAX_AGE_MS = 10 * 60_000;
/** jose's code for a key set that could not be fetched or read. */
const GENERIC = 'ERR_JOSE_GENERIC';

/** Access tokens of the Authority, as JWT (RFC 9068). */
export class JoseTokenVerifier extends TokenVerifier {
  private keys: Promise<JWTVerifyGetKey> | undefined;

  constructor(private readonly authority: AuthorityOptions) {
    super();
  }

  async verify(token: string): Promise<Principal> {
    if (token.length > TOKEN_MAX_BYTES) throw refusal('the token is too long');
    if (!isStrictJwt(token)) throw refusal('the token is not valid');
    const { issuer, audience } = this.authority;
    try {
      const { payload, protectedHeader } = await jwtVerify(token, await this.loadKeys(), {
        issuer,
        audience,
        algorithms: ALGORITHMS,
        clockTolerance: CLOCK_TOLERANCE_SECONDS,
        requiredClaims: ['exp', 'sub'],
      });
      if (!TYPES.includes(protectedHeader.typ?.toLowerCase())) throw refusal('the token is no access token (typ)');
      requireMade(payload);
      return toPrincipal(payload);
    } catch (error) {
      throw toDomainError(error);
    }
  }

  async check(): Promise<void> {
    await this.loadKeys();
  }

  private loadKeys(): Promise<JWTVerifyGetKey> {
    this.keys ??= this.findKeys().catch((error: unknown) => {
      this.keys = undefined;
      throw new DomainError('ERR_PACK_UNAVAILABLE', "the Authority's keys are not available", { retry: 'later', cause: error });
    });
    return this.keys;
  }

  private async findKeys(): Promise<JWTVerifyGetKey> {
    const { issuer, jwksFile } = this.authority;
    if (jwksFile) return createLocalJWKSet(JSON.parse(await readFile(jwksFile, 'utf8')) as JSONWebKeySet);
    const { jwksUri } = await discover(issuer);
    const keys = createRemoteJWKSet(jwksUri, {
      cooldownDuration: JWKS_COOLDOWN_MS,
      cacheMaxAge: JWKS_MAX_AGE_MS,
      timeoutDuration: 5_000,
      [customFetch]: resting(),
    });
    await keys.reload();
    return keys;
  }
}

/** After keys could not be had, they are asked for again at most once in a cool-down: unknown key ids must not reach an Authority that is down. */
function resting(): FetchImplementation {
  let failedAt = Number.NEGATIVE_INFINITY;
  return async (url, options) => {
    if (Date.now() - failedAt < JWKS_COOLDOWN_MS) throw new TypeError("the Authority's keys could not be had a moment ago");
    try {
      const response = await fetch(url, options);
      failedAt = response.ok ? Number.NEGATIVE_INFINITY : Date.now();
      return response;
    } catch (error) {
      failedAt = Date.now();
      throw error;
    }
  };
}

/** jose looks at `iat` only to limit a token's age. */
function requireMade({ iat }: JWTPayload): void {
  if (iat === undefined) return;
  if (typeof iat !== 'number' || iat > Date.now() / 1000 + CLOCK_TOLERANCE_SECONDS) throw refusal("the token's iat is not accepted here");
}

function toPrincipal(payload: JWTPayload): Principal {
  const tenant = payload['tenant'];
  const scopes = canonicalScopes(scopeNames(payload));
  if (!isName(tenant, TENANT_MAX)) throw new DomainError('ERR_PACK_SCOPE', 'the token names no tenant');
  if (scopes.length === 0) throw new DomainError('ERR_PACK_SCOPE', 'the token has no packs.* scope');
  const subject = String(payload.sub).slice(0, 200);
  const actor = payload['client_id'] === payload.sub ? `client:${subject}` : `user:${subject}`;
  const keyThumbprint = boundTo(payload);
  return { subject, actor, tenant, scopes, expiresAt: payload.exp ?? 0, ...(keyThumbprint !== undefined && { keyThumbprint }) };
}

/** RFC 9449 §6.1. */
function boundTo({ cnf }: JWTPayload): string | undefined {
  const thumbprint = typeof cnf === 'object' && cnf !== null && 'jkt' in cnf ? cnf.jkt : undefined;
  if (thumbprint === undefined || (typeof thumbprint === 'string' && thumbprint !== '')) return thumbprint;
  throw refusal('the token is bound to a key that it does not name');
}

/** `scope` is a space-separated text (RFC 9068); some issuers write `scp` or a list. */
function scopeNames(payload: JWTPayload): string[] {
  const claim = payload['scope'] ?? payload['scp'];
  if (typeof claim === 'string') return claim.split(' ');
  return Array.isArray(claim) ? claim.filter(item => typeof item === 'string') : [];
}

function toDomainError(error: unknown): unknown {
  if (error instanceof DomainError) return error;
  if (error instanceof errors.JWTExpired) return refusal('the token has expired');
  if (error instanceof errors.JWTClaimValidationFailed) return refusal(`the token's ${error.claim} is not accepted here`);
  if (error instanceof errors.JWKSTimeout || error instanceof TypeError || (error instanceof errors.JOSEError && error.code === GENERIC)) {
    return new DomainError('ERR_PACK_UNAVAILABLE', "the Authority's keys are not available", { retry: 'later', cause: error });
  }
  return refusal('the token is not valid');
}

function refusal(message: string): DomainError {
  return new DomainError('ERR_PACK_AUTHENTICATION', message);
}
