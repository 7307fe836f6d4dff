import type { Provider } from '@nestjs/common';
import type { Logger } from '@packs/observability';
import { PostgresRegistryUnitOfWork } from '@packs/persistence';
import { BlobStore, Clock, CommandBus } from '@packs/ports';
import { Recurring } from '@packs/service-host';
import { AddAttestation } from './add-attestation/add-attestation';
import { AssessAttestations } from './assess-attestations/assess-attestations';
import { ExpirePending } from './expire-pending/expire-pending';
import { UPKEEP } from './lifecycle';

/** What comes due by time or by a change of trust. It goes on while a registry is sealed. */
export function upkeep(logger: Logger): Provider {
  return {
    provide: UPKEEP,
    useFactory: (unitOfWork: PostgresRegistryUnitOfWork, commands: CommandBus, blobs: BlobStore, clock: Clock) => {
      const expiry = new ExpirePending(unitOfWork, clock);
      const adding = new AddAttestation(unitOfWork, commands, blobs, clock);
      const assessing = new AssessAttestations(unitOfWork, commands, adding, clock);
      return [
        new Recurring('versions that waited for signatures expired', () => expiry.execute(), logger),
        new Recurring('attestations judged again', signal => assessing.execute(signal), logger),
      ];
    },
    inject: [PostgresRegistryUnitOfWork, CommandBus, BlobStore, Clock],
  };
}
