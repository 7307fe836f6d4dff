import type { RegistryTx } from '@packs/ports';
import { versionBasis } from '../judgement/version-basis';
import type { JudgedVersion } from './judge-kit';

/**
 * Whether every version that gets signatures or into channels is signed and attested as it was when it was judged, or is as absent as it was. The tenant's
 * trust is held for update, without which nobody publishes or changes signatures.
 */
export async function areAsJudged(tx: RegistryTx, tenant: string, judged: readonly JudgedVersion[]): Promise<boolean> {
  for (const { version, held, promotions, signatures } of judged) {
    if (promotions.length === 0 && !signatures) continue;
    const found = await tx.channels.judgeable(tenant, version.packId, version.version);
    if ((found && versionBasis(found)) !== (held && versionBasis(held))) return false;
  }
  return true;
}
