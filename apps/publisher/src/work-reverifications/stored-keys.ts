import { readWhole, type BlobStore, type Clock, type RegistryUnitOfWork, type TrustState } from '@packs/ports';
import { readTrustMaterial } from '@packs/sigstore';
import type { TenantKeys } from './work-reverification';

const TRUST_MAX_BYTES = 1024 * 1024;

/** Keys as a tenant's trust material has them. */
export class StoredKeys implements TenantKeys {
  constructor(
    private readonly unitOfWork: RegistryUnitOfWork,
    private readonly blobs: BlobStore,
    private readonly clock: Clock,
  ) {}

  async epoch(tenant: string): Promise<number> {
    return (await this.state(tenant)).epoch;
  }

  async changeAt(tenant: string): Promise<Date | null> {
    const { material } = await this.state(tenant);
    if (!material) return null;
    const { keys } = readTrustMaterial(await readWhole(this.blobs, material, TRUST_MAX_BYTES));
    const now = this.clock.now().getTime();
    const times = keys.flatMap(({ notBefore, notAfter }) =>
      [notBefore, notAfter].flatMap(time => (time === undefined ? [] : [Date.parse(time)])),
    );
    const next = Math.min(...times.filter(time => time > now));
    return Number.isFinite(next) ? new Date(next) : null;
  }

  private state(tenant: string): Promise<TrustState> {
    return this.unitOfWork.run(tenant, tx => tx.trust.state(tenant, 'none'));
  }
}
