import { createParamDecorator, SetMetadata, type CanActivate, type CustomDecorator, type ExecutionContext } from '@nestjs/common';
import { Reflector } from '@nestjs/core';
import { DomainError, type Principal, type Scope } from '@packs/domain';
import type { FastifyRequest } from 'fastify';

const SCOPE = Symbol('scope');

/** A request of somebody whose token was accepted. */
export interface AuthenticatedRequest extends FastifyRequest {
  principal?: Principal;
}

/** The scope a route needs. A route that declares none is refused to everybody. */
export function RequireScope(scope: Scope): CustomDecorator<symbol> {
  return SetMetadata(SCOPE, scope);
}

/** For routes without a token: they are known by their path before the token is looked at. */
export const PUBLIC_PATHS: ReadonlySet<string> = new Set(['/healthz', '/readyz', '/metrics', '/api/openapi.json', '/api/client-config']);

/** The OCI door asks for credentials itself: its clients need other answers, and have other tokens. */
export const OCI_PATHS: ReadonlySet<string> = new Set(['/token', '/v2', '/v2/*']);

/** The principal whose token came with the request. */
export const Caller = createParamDecorator((_data: unknown, context: ExecutionContext) => principalOf(context));

export class ScopeGuard implements CanActivate {
  private readonly reflector = new Reflector();

  canActivate(context: ExecutionContext): boolean {
    const request = context.switchToHttp().getRequest<AuthenticatedRequest>();
    if (PUBLIC_PATHS.has(request.routeOptions.url ?? '')) return true;
    const scope = this.reflector.getAllAndOverride<Scope | undefined>(SCOPE, [context.getHandler(), context.getClass()]);
    const principal = principalOf(context);
    if (!scope || !principal.scopes.includes(scope)) {
      throw new DomainError('ERR_PACK_SCOPE', `this needs scope ${scope ?? 'that nobody has'}`, {
        details: { requiredScope: scope ?? null },
      });
    }
    return true;
  }
}

function principalOf(context: ExecutionContext): Principal {
  const { principal } = context.switchToHttp().getRequest<AuthenticatedRequest>();
  if (!principal) throw new DomainError('ERR_PACK_AUTHENTICATION', 'a bearer token is required');
  return principal;
}
