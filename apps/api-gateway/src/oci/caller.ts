import { DomainError } from '@packs/domain';

export type OciAction = 'pull' | 'push' | 'delete';

/** Who asks on /v2. What may be done says nothing about what is there: reads go on through the tenant's own view of the registry. */
export interface OciCaller {
  /** Null for those who came without credentials: they see what namespaces show to everybody. */
  readonly tenant: string | null;
  /** As the audit log names the caller: `user:<sub>`, `client:<client_id>` or `anonymous`. */
  readonly actor: string;
  may(action: OciAction, namespace: string, repository: string): boolean;
  /**
   * Whether the caller's account may write in the namespace, whatever this token was asked for. It opens nothing: clients read with tokens for reading
   * alone, and what waits for its signatures is shown to those who could have pushed it.
   */
  writesIn(namespace: string): boolean;
  readonly mayListCatalog: boolean;
}

/** The part of a request that says who makes it. */
export interface OciRequest {
  readonly method: string;
  /** Path and query as the client sent them. */
  readonly url: string;
  readonly headers: Readonly<Record<string, string | readonly string[] | undefined>>;
}

export abstract class OciAuthenticator {
  /**
   * @throws DomainError ERR_PACK_AUTHENTICATION, of which `challengeError` knows the challenge's error; ERR_PACK_SCOPE for a token of the
   * Authority without tenant or scope; ERR_PACK_UNAVAILABLE when the Authority's keys cannot be had
   */
  abstract authenticate(request: OciRequest): Promise<OciCaller>;
}

/** RFC 6750 §3.1 and RFC 9449 §7.1: why a request was refused. */
export type ChallengeError = 'invalid_token' | 'insufficient_scope' | 'invalid_dpop_proof';

/** A refusal at the door. Without `error` the request had no credentials, which is no fault. */
export function notAuthenticated(message: string, error?: ChallengeError): DomainError {
  return new DomainError('ERR_PACK_AUTHENTICATION', message, error && { details: { error } });
}

/** The error a challenge names for a refusal that `notAuthenticated` made. */
export function challengeError(refusal: DomainError): ChallengeError | undefined {
  const { error } = refusal.details;
  return error === 'invalid_token' || error === 'insufficient_scope' || error === 'invalid_dpop_proof' ? error : undefined;
}

export interface Challenge {
  /** Where the token service is, as the client reaches it: `publicUrl(…)` and `/token`. */
  readonly realm: string;
  readonly service: string;
  /** What a token must allow; absent for `/v2/` itself. */
  readonly scope?: string;
  readonly error?: ChallengeError;
}

/** The value of `WWW-Authenticate` that sends an OCI client to the token service. */
export function challenge({ realm, service, scope, error }: Challenge): string {
  const parameters = { realm, service, scope, error };
  const given = Object.entries(parameters).filter((entry): entry is [string, string] => entry[1] !== undefined);
  return `Bearer ${given.map(([name, value]) => `${name}="${value.replaceAll(/["\\]/g, '\\$&')}"`).join(',')}`;
}

/** The scope a request needs, as tokens are asked for: pushing includes reading what is there. */
export function repositoryScope(namespace: string, repository: string, action: OciAction): string {
  const actions = { pull: 'pull', push: 'pull,push', delete: 'delete' } satisfies Record<OciAction, string>;
  return `repository:${namespace}/${repository}:${actions[action]}`;
}
