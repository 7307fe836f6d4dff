import { ociErrorOf } from '@packs/contracts';
import { DomainError, requireUnsealed, type RepositoryName } from '@packs/domain';
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import type { CurrentSeal } from '../http/sealed-mode';
import { repositoryScope, type OciAction, type OciAuthenticator, type OciCaller } from './caller';
import type { OciErrors } from './errors';
import type { OciCall, RepositoryOperation } from './operation';
import { parseOciPath, type OciPath, type OciPathKind } from './path';

/** distribution's own header, on every answer: old clients look for it. */
export const API_VERSION = { 'docker-distribution-api-version': 'registry/2.0' };
const CATALOG_SCOPE = 'registry:catalog:*';

type Method = 'GET' | 'HEAD' | 'POST' | 'PUT' | 'PATCH' | 'DELETE';
type Verbs<Operation> = Readonly<Partial<Record<Method, Operation>>>;

/** Every endpoint below `/v2/` and what answers it. */
export interface OciEndpoints {
  readonly catalog: (call: OciCall) => Promise<unknown>;
  readonly repository: Readonly<Record<Exclude<OciPathKind, 'base' | 'catalog'>, Verbs<RepositoryOperation>>>;
}

export interface OciParts {
  readonly authenticator: OciAuthenticator;
  readonly seals: CurrentSeal;
  readonly errors: OciErrors;
  readonly endpoints: OciEndpoints;
}

/**
 * The OCI distribution API. One route and one hand-written path in place of a route an endpoint: a repository's name has slashes, and a read here costs
 * a few dozen microseconds in all.
 */
export async function ociPlugin(server: FastifyInstance, parts: OciParts): Promise<void> {
  server.removeAllContentTypeParsers();
  // Bodies are blobs, or manifests that are hashed as they came.
  server.addContentTypeParser('*', (_request, payload, done) => done(null, payload));
  server.setErrorHandler((error, request, reply) => parts.errors.answer(error, request, reply));
  const handle = (request: FastifyRequest, reply: FastifyReply): Promise<unknown> => dispatch(parts, request, reply);
  for (const url of ['/v2', '/v2/*']) {
    server.route({ method: ['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE'], url, handler: handle });
  }
}

async function dispatch(parts: OciParts, request: FastifyRequest, reply: FastifyReply): Promise<unknown> {
  void reply.headers(API_VERSION);
  const path = parseOciPath(request.url.split('?', 1)[0] ?? '');
  const operation = 'name' in path ? parts.endpoints.repository[path.kind][request.method as Method] : undefined;
  const scope = scopeOf(path, operation);
  const caller = await authenticated(parts, request, scope);
  if (!('name' in path)) return answerRegistry(parts, path.kind, { request, reply, caller });
  if (!operation) throw unsupported(request.method);
  const sealIsAskedLater = operation.sendsLittle?.(request.raw) ?? false;
  await admit(parts, caller, { action: operation.action, sealIsAskedLater }, path.name);
  const { namespace, repository } = path.name;
  const view = { namespace, repository, tenant: caller.tenant ?? '', mayPush: caller.writesIn(namespace) };
  try {
    return await operation.handle({ request, reply, caller, name: path.name, view, reference: 'reference' in path ? path.reference : '' });
  } catch (error) {
    // What is wrong with a request to a sealed registry is that.
    const { tenant } = caller;
    const seal = sealIsAskedLater && tenant !== null ? await parts.seals.of({ tenant }).catch(() => undefined) : undefined;
    if (seal) requireUnsealed(seal.by);
    // To somebody unknown what is not there and what is not theirs look alike, and a token may change either.
    if (caller.tenant === null && error instanceof DomainError && ociErrorOf(error.code).status === 404) {
      throw parts.errors.denied(caller, scope);
    }
    throw error;
  }
}

/** What a token must allow for this request. */
function scopeOf(path: OciPath, operation: RepositoryOperation | undefined): string | undefined {
  if ('name' in path) return repositoryScope(path.name.namespace, path.name.repository, operation?.action ?? 'pull');
  return path.kind === 'catalog' ? CATALOG_SCOPE : undefined;
}

async function authenticated({ authenticator, errors }: OciParts, request: FastifyRequest, scope: string | undefined): Promise<OciCaller> {
  try {
    return await authenticator.authenticate(request);
  } catch (error) {
    throw errors.withScope(error, scope);
  }
}

async function answerRegistry(parts: OciParts, kind: 'base' | 'catalog', call: OciCall): Promise<unknown> {
  const { request, reply, caller } = call;
  if (request.method !== 'GET' && request.method !== 'HEAD') throw unsupported(request.method);
  // Whoever comes this far had credentials of some use: the rest got a challenge.
  if (kind === 'base') return reply.header('content-type', 'application/json').send('{}');
  if (!caller.mayListCatalog) throw parts.errors.denied(caller, CATALOG_SCOPE);
  return parts.endpoints.catalog(call);
}

async function admit(
  parts: OciParts,
  caller: OciCaller,
  { action, sealIsAskedLater }: { readonly action: OciAction; readonly sealIsAskedLater: boolean },
  name: RepositoryName,
): Promise<void> {
  const { errors, seals } = parts;
  const { namespace, repository } = name;
  if (!caller.may(action, namespace, repository)) {
    if (action !== 'pull' && caller.tenant !== null && caller.tenant !== namespace) {
      throw new DomainError('ERR_OCI_DENIED', `only tenant ${namespace} writes to its repositories`);
    }
    throw errors.denied(caller, repositoryScope(namespace, repository, action));
  }
  if (action === 'pull' || caller.tenant === null) return;
  requireUnsealed(sealIsAskedLater ? seals.byConfiguration : (await seals.of({ tenant: caller.tenant })).by);
}

function unsupported(method: string): DomainError {
  return new DomainError('ERR_OCI_UNSUPPORTED', `${method} is not a verb of this endpoint`);
}
