import { requireUnsealed, type Seal } from '@packs/domain';

/** A tenant's seal, within a transaction. */
export abstract class SealStore {
  /** Whether the tenant is sealed; until this transaction ends that stays so. */
  abstract hold(tenant: string): Promise<boolean>;
  /** The seal, once everybody who held it is done; until this transaction ends nobody holds it. */
  abstract lock(tenant: string): Promise<Seal>;
  abstract put(tenant: string, seal: Seal): Promise<void>;
}

/** For changes that begin with the question whether they may be. */
export type SealHold = Pick<SealStore, 'hold'>;

interface UnitOfWork<Tx> {
  run<T>(tenant: string, work: (tx: Tx) => Promise<T>): Promise<T>;
}

/**
 * A unit of work in which nothing happens for a sealed tenant: each transaction begins by holding the seal, so a seal that is committed
 * has nothing of it after itself. What may change a sealed registry uses the unit of work beneath.
 * Its transactions fail with DomainError ERR_PACK_SEALED.
 */
export function unsealedOnly<Tx extends { readonly seal: SealHold }>(
  beneath: UnitOfWork<Tx>,
  sealedByConfiguration: boolean,
): UnitOfWork<Tx> {
  return {
    run: async (tenant, work) => {
      if (sealedByConfiguration) requireUnsealed('configuration');
      return beneath.run(tenant, async tx => {
        requireUnsealed((await tx.seal.hold(tenant)) ? 'api' : null);
        return work(tx);
      });
    },
  };
}

/** The gateway's side. */
export abstract class SealReadModel {
  abstract seal(tenant: string): Promise<Seal>;
}
