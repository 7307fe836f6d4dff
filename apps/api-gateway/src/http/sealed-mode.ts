import { requireUnsealed, SEALED_BY_CONFIGURATION, sealAt, type Principal, type Scope, type Seal } from '@packs/domain';
import type { Clock, SealReadModel } from '@packs/ports';
import type { onRequestAsyncHookHandler } from 'fastify';
import type { AuthenticatedRequest } from './access';

/**
 * What a route does to the registry, which decides whether a sealed one is open to it: `mutation` is refused; `upkeep` makes nothing of its own,
 * such as running a consumer again; `allowed-when-sealed` is the import of kits and what ends a seal.
 */
export type Effect = 'read' | 'mutation' | 'upkeep' | 'allowed-when-sealed';

/** What `Operation` tells the HTTP server of a route. */
export interface RouteRule {
  readonly scope?: Scope;
  readonly effect?: Effect;
}

/** A route that does not say what it does is taken for the worst its verb can do. */
export function effectOf(method: string, { effect }: RouteRule): Effect {
  return effect ?? (method === 'GET' || method === 'HEAD' || method === 'OPTIONS' ? 'read' : 'mutation');
}

/** The seal of a tenant as of now. */
export class CurrentSeal {
  constructor(
    private readonly seals: SealReadModel,
    private readonly clock: Clock,
    private readonly isSealedByConfiguration: boolean,
  ) {}

  /** What holds for all tenants, and is known without asking anybody. */
  get byConfiguration(): Seal['by'] {
    return this.isSealedByConfiguration ? 'configuration' : null;
  }

  async of({ tenant }: Pick<Principal, 'tenant'>): Promise<Seal> {
    return this.isSealedByConfiguration ? SEALED_BY_CONFIGURATION : sealAt(await this.seals.seal(tenant), this.clock.now());
  }
}

/**
 * Refuses changes of a sealed registry before anything of the body is read. It spares an upload and decides nothing: a seal may come at any time
 * after it, so whoever makes the change asks again inside the transaction.
 */
export function refuseWhenSealed(seals: CurrentSeal): onRequestAsyncHookHandler {
  return async ({ principal, method, routeOptions }: AuthenticatedRequest) => {
    const rule = routeOptions.config as RouteRule;
    if (!principal || !rule.scope || effectOf(method, rule) !== 'mutation') return;
    // Without the scope the answer is about that.
    if (principal.scopes.includes(rule.scope)) requireUnsealed((await seals.of(principal)).by);
  };
}
