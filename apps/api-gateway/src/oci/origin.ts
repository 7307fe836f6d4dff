import { DomainError } from '@packs/domain';
import { clientOf } from '../http/origin';
import type { OciCall } from './operation';

/** Who caused a change and with what client, as commands carry it. */
export function originOf({ caller, request }: OciCall): { tenant: string; actor: string; source: string | null } {
  // Without a tenant nothing may be pushed, so nobody gets here.
  if (caller.tenant === null) throw new DomainError('ERR_OCI_DENIED', 'only a tenant writes to repositories');
  return { tenant: caller.tenant, actor: caller.actor, source: clientOf(request) };
}
