import { DomainError, type Principal } from '@packs/domain';
import type { Clock, ProofVerifier, RegistryToken, RegistryTokens, TokenVerifier, UsedProofs } from '@packs/ports';
import { notAuthenticated, OciAuthenticator, type OciAction, type OciCaller, type OciRequest } from '../caller';
import { publicUrl } from './public-url';
import { mayDo, mayListCatalog } from './scopes';
import { VerifiedTokens } from './verified-tokens';

const REMEMBERED_TOKENS = 10_000;
/** A token of the Authority is checked again after this long: its keys may have been withdrawn. */
const AUTHORITY_TOKEN_MS = 5 * 60_000;
/** RFC 6750 §2.1 and RFC 9449 §7.1; a scheme's name is case-insensitive. */
const CREDENTIALS = /^(bearer|dpop) +([\w~+/.-]+=*)$/i;

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
    private readonly proofs: { readonly verifier: ProofVerifier; readonly used: UsedProofs },
    private readonly clock: Clock,
    private readonly configuredUrl: string | undefined,
  ) {
    super();
    this.verified = new VerifiedTokens(clock, REMEMBERED_TOKENS);
  }

  async authenticate(request: OciRequest): Promise<OciCaller> {
    const { authorization } = request.headers;
    if (authorization === undefined) throw notAuthenticated('a token is required; the challenge names where to get one');
    const [, scheme, token] = (typeof authorization === 'string' && CREDENTIALS.exec(authorization)) || [];
    if (!scheme || !token) throw notAuthenticated('a token is required: Authorization: Bearer <token>', 'invalid_token');
    const { caller, keyThumbprint } = this.verified.get(token) ?? (await this.verify(token));
    await this.requireProof(request, scheme.toLowerCase() === 'dpop', token, keyThumbprint);
    return caller;
  }

  private async verify(token: string): Promise<Verified> {
    try {
      return this.own.claims(token) ? await this.verifyOwn(token) : await this.verifyAuthoritys(token);
    } catch (error) {
      throw error instanceof DomainError && error.code === 'ERR_PACK_AUTHENTICATION'
        ? notAuthenticated(error.message, 'invalid_token')
        : error;
    }
  }

  private async verifyOwn(token: string): Promise<Verified> {
    const content = await this.own.verify(token);
    const verified = { caller: callerOfToken(content), keyThumbprint: content.keyThumbprint };
    this.verified.put(token, verified, content.expiresAt * 1000);
    return verified;
  }

  private async verifyAuthoritys(token: string): Promise<Verified> {
    const principal = await this.authority.verify(token);
    const verified = { caller: callerOfPrincipal(principal), keyThumbprint: null };
    this.verified.put(token, verified, Math.min(principal.expiresAt * 1000, this.clock.now().getTime() + AUTHORITY_TOKEN_MS));
    return verified;
  }

  /** RFC 9449 §7.1, §7.2: neither may a bound token come without its proof, nor may a bearer token pass as a bound one. */
  private async requireProof(request: OciRequest, asBound: boolean, token: string, keyThumbprint: string | null): Promise<void> {
    if (keyThumbprint === null && !asBound) return;
    if (keyThumbprint === null) throw notAuthenticated('the token is bound to no key: send it as Bearer', 'invalid_token');
    if (!asBound) throw notAuthenticated('the token is bound to a key: send it as DPoP, with a proof', 'invalid_token');
    await requireProof(this.proofs, keyThumbprint, {
      proof: request.headers['dpop'],
      method: request.method,
      url: `${publicUrl(request, this.configuredUrl)}${request.url.split('?', 1)[0] ?? ''}`,
      accessToken: token,
    });
  }
}

async function requireProof(
  { verifier, used }: { readonly verifier: ProofVerifier; readonly used: UsedProofs },
  keyThumbprint: string,
  { proof, ...request }: { proof: string | readonly string[] | undefined; method: string; url: string; accessToken: string },
): Promise<void> {
  if (typeof proof !== 'string') throw notAuthenticated('the token needs a proof in the header DPoP', 'invalid_dpop_proof');
  const proven = await verifier.verify(proof, request).catch((error: unknown) => {
    throw error instanceof DomainError ? notAuthenticated(error.message, 'invalid_dpop_proof') : error;
  });
  if (proven.keyThumbprint !== keyThumbprint) throw notAuthenticated('the DPoP proof is by another key', 'invalid_dpop_proof');
  if (!(await used.use(proven.id))) throw notAuthenticated('the DPoP proof was used before', 'invalid_dpop_proof');
}

function callerOfPrincipal(principal: Principal): OciCaller {
  const { tenant, actor } = principal;
  return { tenant, actor, may: (action, namespace) => mayDo(principal, action, namespace), mayListCatalog: mayListCatalog(principal) };
}

function callerOfToken({ tenant, actor, access }: RegistryToken): OciCaller {
  const repositories = new Map(access.filter(one => one.type === 'repository').map(one => [one.name, new Set(one.actions)]));
  return {
    tenant,
    actor,
    may: (action: OciAction, namespace, repository) => repositories.get(`${namespace}/${repository}`)?.has(action) ?? false,
    mayListCatalog: access.some(one => one.type === 'registry' && one.name === 'catalog'),
  };
}
