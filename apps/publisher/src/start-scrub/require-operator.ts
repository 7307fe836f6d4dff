import { DomainError } from '@packs/domain';

/** What lies at rest is everybody's, so what is found there is told to the operators alone. @throws DomainError ERR_PACK_SCOPE */
export function requireOperator(tenant: string, operatorTenant: string): void {
  if (tenant !== operatorTenant)
    throw new DomainError('ERR_PACK_SCOPE', "only administrators of the operators' tenant may scrub the blob store");
}
