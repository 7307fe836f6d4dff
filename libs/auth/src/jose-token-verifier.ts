import { readFile } from 'node:fs/promises';
import { canonicalScopes, DomainError, isName, TENANT_MAX, type Principal } from '@packs/domain';
import { TokenVerifier } from '@packs/ports';
import { createLocalJWKSet, createRemoteJWKSet, errors, jwtVerify, type JSONWebKeySet, type JWTPayload, type JWTVerifyGetKey } from 'jose';
import { discover } from './discovery';

export interface AuthorityOptions {
  readonly issuer: string;
  readonly audience: string;
  /** JWKS in a file, in place of the issuer's own. */
  readonly jwksFile?: string;
}

/** Asymmetric algorithms only: a token must not choose how it is checked. */
const ALGORITHMS = ['RS256', 'PS256', 'ES256', 'EdDSA'];
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
    const { issuer, audience } = this.authority;
    try {
      const { payload } = await jwtVerify(token, await this.loadKeys(), {
        issuer,
        audience,
        algorithms: ALGORITHMS,
        clockTolerance: CLOCK_TOLERANCE_SECONDS,
        requiredClaims: ['exp', 'sub'],
      });
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
    });
    await keys.reload();
    return keys;
  }
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
