import { DomainError, isName, TENANT_MAX } from '@packs/domain';
import { RegistryTokens, type Clock, type RegistryToken, type TokenAccess } from '@packs/ports';
import { decodeJwt, errors, jwtVerify, SignJWT, type JWTPayload } from 'jose';
import { isStrictJwt } from './strict-jwt';
import { readTokenKeys, type TokenKey } from './token-keys';

/** No URL, so no OpenID issuer can have it; and no audience that REST accepts. */
const ISSUER = 'urn:packs-registry:token-service';
const AUDIENCE = 'urn:packs-registry:v2';
const TYPE = 'registry+jwt';
const ALGORITHMS = ['ES256', 'EdDSA'];
const CLOCK_TOLERANCE_SECONDS = 5;
const TOKEN_MAX_BYTES = 16 * 1024;

/** JWTs signed by a key that all replicas share. */
export class JoseRegistryTokens extends RegistryTokens {
  private constructor(
    private readonly keys: readonly [TokenKey, ...TokenKey[]],
    private readonly clock: Clock,
  ) {
    super();
  }

  /** @throws Error naming the file and what is wrong with it */
  static async open(keyFile: string, clock: Clock): Promise<JoseRegistryTokens> {
    return new JoseRegistryTokens(await readTokenKeys(keyFile), clock);
  }

  issue({ tenant, subject, actor, access, writes, keyThumbprint, expiresAt }: RegistryToken): Promise<string> {
    const [key] = this.keys;
    return new SignJWT({ actor, tenant, access, writes, ...(keyThumbprint !== null && { cnf: { jkt: keyThumbprint } }) })
      .setProtectedHeader({ alg: key.alg, kid: key.kid, typ: TYPE })
      .setIssuer(ISSUER)
      .setAudience(AUDIENCE)
      .setSubject(subject)
      .setJti(crypto.randomUUID())
      .setIssuedAt(this.clock.now())
      .setExpirationTime(expiresAt)
      .sign(key.privateKey);
  }

  claims(token: string): boolean {
    try {
      return token.length <= TOKEN_MAX_BYTES && decodeJwt(token).iss === ISSUER;
    } catch {
      return false;
    }
  }

  async verify(token: string): Promise<RegistryToken> {
    if (token.length > TOKEN_MAX_BYTES) throw refusal('the token is too long');
    if (!isStrictJwt(token)) throw refusal('the token is not valid');
    try {
      const { payload } = await jwtVerify(token, ({ kid }) => this.keyOf(kid), {
        issuer: ISSUER,
        audience: AUDIENCE,
        typ: TYPE,
        algorithms: ALGORITHMS,
        clockTolerance: CLOCK_TOLERANCE_SECONDS,
        requiredClaims: ['exp', 'sub', 'jti'],
        currentDate: this.clock.now(),
      });
      return toToken(payload);
    } catch (error) {
      if (error instanceof errors.JWTExpired) throw refusal('the token has expired');
      if (error instanceof errors.JOSEError) throw refusal('the token is not valid');
      throw error;
    }
  }

  private keyOf(kid: string | undefined): TokenKey['publicKey'] {
    const key = this.keys.find(one => one.kid === kid);
    if (!key) throw new errors.JWKSNoMatchingKey();
    return key.publicKey;
  }
}

/** The signature says that `issue` wrote this; another release of it may have. */
function toToken({ sub, exp, actor, tenant, access, writes, cnf }: JWTPayload): RegistryToken {
  const known = (tenant === null || isName(tenant, TENANT_MAX)) && typeof actor === 'string' && Array.isArray(access);
  if (!known || sub === undefined || exp === undefined) throw refusal('the token is not valid');
  const keyThumbprint = (cnf as { jkt?: string } | undefined)?.jkt ?? null;
  return { tenant, subject: sub, actor, access: access as TokenAccess[], writes: writes === true, keyThumbprint, expiresAt: exp };
}

function refusal(message: string): DomainError {
  return new DomainError('ERR_PACK_AUTHENTICATION', message);
}
