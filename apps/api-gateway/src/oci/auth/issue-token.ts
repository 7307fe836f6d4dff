import { DomainError, type Principal } from '@packs/domain';
import type { ClientCredentials, Clock, NamespacePolicies, RegistryTokens, TokenAccess, TokenVerifier } from '@packs/ports';
import type { FailedAttempts } from './failed-attempts';
import type { Proofs } from './proofs';
import { grantedTo, mayDo, namespacesOf, type AskedScope } from './scopes';
import type { Credentials, TokenQuestion } from './token-request';

/** As JWTs begin: a JSON object in base64url. */
const JWT = /^eyJ[\w-]*\.[\w-]+\.[\w-]+$/;
const ANONYMOUS = 'anonymous';

export interface TokenAsker {
  /** Of the client's end of the connection. */
  readonly address: string;
  /** A proof of possession that came along; the token is bound to its key. */
  readonly proof?: { readonly text: string; readonly method: string; readonly url: string };
}

/** distribution "Token Response Fields" and RFC 6749 §5.1. */
export interface TokenAnswer {
  readonly token: string;
  readonly access_token: string;
  readonly token_type: 'Bearer' | 'DPoP';
  readonly expires_in: number;
  readonly issued_at: string;
  readonly scope: string;
}

/** Who can be recognized, and how. */
export interface Doors {
  readonly authority: TokenVerifier;
  readonly clients: ClientCredentials;
  readonly attempts: FailedAttempts;
}

/** Makes a token for /v2 out of credentials of the Authority: what is asked for and allowed, and no longer than they are good themselves. */
export class IssueToken {
  constructor(
    private readonly doors: Doors,
    private readonly tokens: RegistryTokens,
    private readonly proofs: Proofs,
    private readonly namespaces: NamespacePolicies,
    private readonly clock: Clock,
    private readonly seconds: number,
  ) {}

  /** @throws DomainError ERR_PACK_AUTHENTICATION, ERR_PACK_SCOPE, ERR_PACK_LIMIT, ERR_PACK_UNAVAILABLE */
  async execute({ credentials, scopes }: TokenQuestion, asker: TokenAsker): Promise<TokenAnswer> {
    const principal = await this.principalOf(credentials, asker.address);
    const keyThumbprint = await this.provenKey(asker.proof, principal?.keyThumbprint);
    const access = await this.granted(principal, scopes);
    const now = this.clock.now();
    const issuedAt = Math.floor(now.getTime() / 1000);
    const expiresAt = Math.min(issuedAt + this.seconds, principal?.expiresAt ?? Number.POSITIVE_INFINITY);
    const { tenant, subject, actor } = principal ?? { tenant: null, subject: ANONYMOUS, actor: ANONYMOUS };
    const writes = principal !== null && mayDo(principal, 'push', principal.tenant);
    const token = await this.tokens.issue({ tenant, subject, actor, access, writes, keyThumbprint, expiresAt });
    return {
      token,
      access_token: token,
      token_type: keyThumbprint === null ? 'Bearer' : 'DPoP',
      expires_in: Math.max(0, expiresAt - issuedAt),
      issued_at: new Date(issuedAt * 1000).toISOString(),
      scope: access.map(one => `${one.type}:${one.name}:${one.actions.join(',')}`).join(' '),
    };
  }

  private async principalOf(credentials: Credentials, address: string): Promise<Principal | null> {
    if (credentials.kind === 'none') return null;
    if (credentials.kind === 'token') return this.accepted(credentials.token);
    const { user, password } = credentials;
    return this.accepted(JWT.test(password) ? password : await this.exchanged(user, password, address));
  }

  /** The same answer whatever is wrong with it, but for what its owner may know: that it names no tenant or no scope. */
  private async accepted(token: string): Promise<Principal> {
    try {
      return await this.doors.authority.verify(token);
    } catch (error) {
      throw isRefusal(error) ? refusal() : error;
    }
  }

  private async exchanged(clientId: string, secret: string, address: string): Promise<string> {
    const { attempts, clients } = this.doors;
    attempts.admit(address, clientId);
    try {
      if (!clientId || !secret) throw refusal();
      const token = await clients.exchange(clientId, secret);
      attempts.succeeded(address, clientId);
      return token;
    } catch (error) {
      if (!isRefusal(error)) throw error;
      attempts.failed(address, clientId);
      throw refusal();
    }
  }

  /** What was bound stays bound, to the same key. */
  private async provenKey(proof: TokenAsker['proof'], boundTo: string | undefined): Promise<string | null> {
    if (!proof && boundTo === undefined) return null;
    if (!proof) throw invalidProof('the access token is bound to a key: a proof by that key is required');
    const { text, ...request } = proof;
    try {
      return await this.proofs.keyProven(text, request, boundTo);
    } catch (error) {
      throw isRefusal(error) ? invalidProof(error.message) : error;
    }
  }

  private async granted(principal: Principal | null, asked: readonly AskedScope[]): Promise<TokenAccess[]> {
    // Whoever has a principal needs nobody's permission to look.
    const open = principal ? undefined : await this.namespaces.publicAmong(namespacesOf(asked));
    return grantedTo({ principal, isPublic: namespace => open?.has(namespace) ?? false }, asked);
  }
}

function isRefusal(error: unknown): error is DomainError {
  return error instanceof DomainError && error.code === 'ERR_PACK_AUTHENTICATION';
}

function refusal(): DomainError {
  return new DomainError('ERR_PACK_AUTHENTICATION', 'the credentials are not accepted', { details: { oauth: 'invalid_client' } });
}

/** RFC 9449 §5. */
function invalidProof(message: string): DomainError {
  return new DomainError('ERR_PACK_REQUEST_INVALID', message, {
    details: { oauth: 'invalid_dpop_proof' },
    errors: [{ field: 'DPoP', message }],
  });
}
