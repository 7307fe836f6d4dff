import type { TrustAnswer } from '@packs/contracts';
import type { Revocations, TrustedKey } from '@packs/domain';
import type { RegistryClient } from '../../client/registry-client';
import { RegistryProblem } from '../../client/registry-problem';

export const TRUST_ROUTE = '/api/trust';

/** What a tenant trusts, as it is sent. */
export interface TrustToBe {
  readonly keys: readonly TrustedKey[];
  readonly trustedRoots?: readonly unknown[];
  readonly revoked?: Revocations;
}

/** Others who change it at the same time come first at most so often. */
const ROUNDS = 20;

/** Replaces what the tenant trusts by an edited copy of exactly what it replaces: two who change it at once lose nothing of each other's. */
export async function changeTrust(registry: RegistryClient, edit: (trust: TrustToBe) => TrustToBe): Promise<TrustAnswer> {
  for (let round = 1; ; round++) {
    const { epoch: _, digest, ...read } = await registry.get<TrustAnswer>(TRUST_ROUTE);
    const next = edit({ ...(read as Omit<TrustToBe, 'keys'>), keys: read.keys.map(withoutId) });
    try {
      return await registry.put<TrustAnswer>(TRUST_ROUTE, next, { 'if-match': `"${digest}"` });
    } catch (error) {
      const isLate = error instanceof RegistryProblem && error.code === 'ERR_PACK_PRECONDITION';
      if (!isLate || round === ROUNDS) throw error;
    }
  }
}

export function withoutId({ name, publicKey, scheme, notBefore, notAfter }: TrustedKey): TrustedKey {
  return { name, publicKey, scheme, notBefore, notAfter };
}
