import { DomainError, parseRepositoryName, type Principal, type RepositoryName } from '@packs/domain';
import type { TokenAccess } from '@packs/ports';
import type { OciAction } from '../caller';

const SCOPES_MAX = 32;
const SCOPE_MAX_LENGTH = 512;
const ACTIONS: readonly OciAction[] = ['pull', 'push', 'delete'];

/** distribution "Token Scope": `type[(class)]:name:action,action`; the name itself may have a colon, as in `host:port/name`. */
const SCOPE = /^([a-z0-9]+)(?:\([a-z0-9]+\))?:([^\s"\\]+):([a-z*]+(?:,[a-z*]+)*)$/;

export interface AskedScope {
  readonly type: string;
  readonly name: string;
  readonly actions: readonly string[];
}

/** @param values of every parameter `scope`, each one scope or several with spaces between. @throws DomainError ERR_PACK_REQUEST_INVALID */
export function parseScopes(values: readonly string[]): AskedScope[] {
  const texts = values.flatMap(value => value.split(' ')).filter(text => text !== '');
  if (texts.length > SCOPES_MAX) throw invalidScope(`there may be ${SCOPES_MAX} scopes`);
  return texts.map(parseScope);
}

function parseScope(text: string): AskedScope {
  const match = text.length <= SCOPE_MAX_LENGTH ? SCOPE.exec(text) : null;
  const [, type, name, actions] = match ?? [];
  if (!type || !name || !actions) throw invalidScope('a scope is repository:<namespace>/<name>:<actions> or registry:catalog:*');
  return { type, name, actions: actions.split(',') };
}

/** Whose scopes are asked for, and what namespaces show to everybody. */
export interface Grantee {
  /** Null: without credentials. */
  readonly principal: Principal | null;
  isPublic(namespace: string): boolean;
}

/** What is asked for and allowed, by resource. What is not allowed is left out: the client learns of it where it uses the token. */
export function grantedTo(grantee: Grantee, asked: readonly AskedScope[]): TokenAccess[] {
  const granted = new Map<string, TokenAccess>();
  for (const scope of asked) {
    const one = granted.get(`${scope.type}:${scope.name}`);
    const access = accessTo(grantee, scope);
    if (!access) continue;
    granted.set(`${scope.type}:${scope.name}`, { ...access, actions: [...new Set([...(one?.actions ?? []), ...access.actions])] });
  }
  return [...granted.values()];
}

/** The namespaces that `asked` is about. */
export function namespacesOf(asked: readonly AskedScope[]): string[] {
  return [...new Set(asked.flatMap(scope => repositoryOf(scope)?.namespace ?? []))];
}

/** Whether somebody with this token of the Authority may do this. Visibility decides what a pull finds. */
export function mayDo({ tenant, scopes }: Principal, action: OciAction, namespace: string): boolean {
  return action === 'pull' ? scopes.includes('packs.read') : scopes.includes('packs.write') && namespace === tenant;
}

export function mayListCatalog({ scopes }: Principal): boolean {
  return scopes.includes('packs.read');
}

function accessTo({ principal, isPublic }: Grantee, scope: AskedScope): TokenAccess | undefined {
  if (scope.type === 'registry' && scope.name === 'catalog') {
    return principal && mayListCatalog(principal) ? { type: 'registry', name: 'catalog', actions: ['*'] } : undefined;
  }
  const repository = repositoryOf(scope);
  if (!repository) return undefined;
  const { namespace } = repository;
  const allowed = (action: OciAction): boolean =>
    principal ? mayDo(principal, action, namespace) : action === 'pull' && isPublic(namespace);
  const wanted = scope.actions.includes('*') ? ACTIONS : ACTIONS.filter(action => scope.actions.includes(action));
  const actions = wanted.filter(allowed);
  return actions.length > 0 ? { type: 'repository', name: scope.name, actions } : undefined;
}

/** Undefined for what can be no repository here, which is nothing to refuse a client for: it asks before it knows. */
function repositoryOf({ type, name }: AskedScope): RepositoryName | undefined {
  if (type !== 'repository') return undefined;
  try {
    return parseRepositoryName(name);
  } catch (error) {
    if (error instanceof DomainError) return undefined;
    throw error;
  }
}

function invalidScope(message: string): DomainError {
  return new DomainError('ERR_PACK_REQUEST_INVALID', message, {
    details: { oauth: 'invalid_scope' },
    errors: [{ field: 'scope', message }],
  });
}
