import type { Principal } from '@packs/domain';
import type { Viewpoint } from '@packs/ports';
import type { FastifyRequest } from 'fastify';

/** Who caused a change and with what client, as commands carry it. */
export function originOf(caller: Principal, request: FastifyRequest): { tenant: string; actor: string; source: string | null } {
  return { tenant: caller.tenant, actor: caller.actor, source: clientOf(request) };
}

/** The client as it calls itself. */
export function clientOf(request: FastifyRequest): string | null {
  // Control characters could forge lines where the audit log is printed.
  const agent = request.headers['user-agent']?.replace(/[^\x20-\x7e]/g, '?').slice(0, 256);
  return agent || null;
}

/** The caller's own namespace, unless another one is named. */
export function viewpointOf(caller: Principal, namespace: string | undefined): Viewpoint {
  return { tenant: caller.tenant, namespace: namespace ?? caller.tenant };
}
