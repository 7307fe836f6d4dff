import { DomainError, type Principal } from '@packs/domain';
import type { Clock, RegistryToken, RegistryTokens, TokenVerifier } from '@packs/ports';
import { notAuthenticated, OciAuthenticator, type ChallengeError, type OciAction, type OciCaller, type OciRequest } from '../caller';
import type { Proofs } from './proofs';
import { publicUrl } from './public-url';
import { mayDo, mayListCatalog } from './scopes';
import { VerifiedTokens } from './verified-tokens';

const REMEMBERED_TOKENS = 10_000;
/** A token of the Authority is checked again after this long: its keys may have been withdrawn. */
const AUTHORITY_TOKEN_MS = 5 * 60_000;
/** RFC 6750 §2.1 and RFC 9449 §7.1; a scheme's name is case-insensitive. */
const CREDENTIALS = /^(bearer|dpop) +([\w~+/.-]+=*)$/i;

const BEARER = 'Bearer ';

interface Verified {
  readonly caller: OciCaller;
  /** The key that has to be proven with every use. */
  readonly keyThumbprint: string | null;
}

/** Tokens of the Authority, and those that the token service made of them. */
export class TokenAuthenticator extends OciAuthenticator {
  private readonly verified: VerifiedTokens<Verified>;

  constructor(
    private readonly authority: TokenVerifier,
    private readonly own: RegistryTokens,
    private readonly proofs: Proofs,
    private readonly clock: Clock,
    private readonly configuredUrl: string | undefined,
  ) {
    super();
    this.verified = new VerifiedTokens(clock, REMEMBERED_TOKENS);
  }

  async authenticate(request: OciRequest): Promise<OciCaller> {
    const { authorization } = request.headers;
    if (authorization === undefined) throw notAuthenticated('a token is required; the challenge names where to get one');
    const known = this.knownBearer(authorization);
    if (known) return known;
    const [, scheme, token] = (typeof authorization === 'string' && CREDENTIALS.exec(authorization)) || [];
    if (!scheme || !token) throw notAuthenticated('a token is required: Authorization: Bearer <token>', 'invalid_token');
    const { caller, keyThumbprint } = this.verified.get(token) ?? (await this.verify(token));
    await this.requireProof(request, scheme.toLowerCase() === 'dpop', token, keyThumbprint);
    return caller;
  }

  /** A bearer token of before, written as nearly everybody writes it. */
  private knownBearer(authorization: OciRequest['headers'][string]): OciCaller | undefined {
    if (typeof authorization !== 'string' || !authorization.startsWith(BEARER)) return undefined;
    const known = this.verified.get(authorization.slice(BEARER.length));
    return known?.keyThumbprint === null ? known.caller : undefined;
  }

  private verify(token: string): Promise<Verified> {
    return refusingAs('invalid_token', () => (this.own.claims(token) ? this.verifyOwn(token) : this.verifyAuthoritys(token)));
  }

  private async verifyOwn(token: string): Promise<Verified> {
    const content = await this.own.verify(token);
    const verified = { caller: callerOfToken(content), keyThumbprint: content.keyThumbprint };
    this.verified.put(token, verified, content.expiresAt * 1000);
    return verified;
  }

  private async verifyAuthoritys(token: string): Promise<Verified> {
    const principal = await this.authority.verify(token);
    const verified = { caller: callerOfPrincipal(principal), keyThumbprint: principal.keyThumbprint ?? null };
    this.verified.put(token, verified, Math.min(principal.expiresAt * 1000, this.clock.now().getTime() + AUTHORITY_TOKEN_MS));
    return verified;
  }

  /** RFC 9449 §7.1, §7.2: neither may a bound token come without its proof, nor may a bearer token pass as a bound one. */
  private async requireProof(request: OciRequest, asBound: boolean, token: string, keyThumbprint: string | null): Promise<void> {
    if (keyThumbprint === null && !asBound) return;
    if (keyThumbprint === null) throw notAuthenticated('the token is bound to no key: send it as Bearer', 'invalid_token');
    if (!asBound) throw notAuthenticated('the token is bound to a key: send it as DPoP, with a proof', 'invalid_token');
    const proof = request.headers['dpop'];
    if (typeof proof !== 'string') throw notAuthenticated('the token needs a proof in the header DPoP', 'invalid_dpop_proof');
    const url = `${publicUrl(request, this.configuredUrl)}${request.url.split('?', 1)[0] ?? ''}`;
    await refusingAs('invalid_dpop_proof', () =>
      this.proofs.keyProven(proof, { method: request.method, url, accessToken: token }, keyThumbprint),
    );
  }
}

async function refusingAs<T>(error: ChallengeError, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (thrown) {
    throw thrown instanceof DomainError && thrown.code === 'ERR_PACK_AUTHENTICATION' ? notAuthenticated(thrown.message, error) : thrown;
  }
}

function callerOfPrincipal(principal: Principal): OciCaller {
  const { tenant, actor } = principal;
  return {
    tenant,
    actor,
    may: (action, namespace) => mayDo(principal, action, namespace),
    writesIn: namespace => mayDo(principal, 'push', namespace),
    mayListCatalog: mayListCatalog(principal),
  };
}

function callerOfToken({ tenant, actor, access, writes }: RegistryToken): OciCaller {
  const repositories = new Map(access.filter(one => one.type === 'repository').map(one => [one.name, new Set(one.actions)]));
  return {
    tenant,
    actor,
    may: (action: OciAction, namespace, repository) => repositories.get(`${namespace}/${repository}`)?.has(action) ?? false,
    writesIn: namespace => writes && namespace === tenant,
    mayListCatalog: access.some(one => one.type === 'registry' && one.name === 'catalog'),
  };
}
