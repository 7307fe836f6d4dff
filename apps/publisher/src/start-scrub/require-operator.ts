import { DomainError } from '@packs/domain';

/** What lies at rest is everybody's, so what is found there is told to the operators alone. @throws DomainError ERR_PACK_NOT_FOUND */
export function requireOperator(tenant: string, operatorTenant: string): void {
  if (tenant === operatorTenant) return;
  throw new DomainError('ERR_PACK_NOT_FOUND', "there are no scrubs here: they are for administrators of the operators' tenant");
}
