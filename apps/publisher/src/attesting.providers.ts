import type { Provider } from '@nestjs/common';
import { PostgresRegistryUnitOfWork } from '@packs/persistence';
import { BlobStore, Clock, CommandBus, RegistryUnitOfWork } from '@packs/ports';
import { AddAttestation } from './add-attestation/add-attestation';
import { AddAttestationHandler } from './add-attestation/add-attestation.handler';
import { ContestAttestation } from './contest-attestation/contest-attestation';
import { ContestAttestationHandler } from './contest-attestation/contest-attestation.handler';
import { RecordEvidenceExport } from './record-evidence-export/record-evidence-export';
import { RecordEvidenceExportHandler } from './record-evidence-export/record-evidence-export.handler';

export const ATTESTING_HANDLERS = [AddAttestationHandler, ContestAttestationHandler, RecordEvidenceExportHandler];

/** What is attested about versions, how far it is believed, and that it was given out. */
export const attesting: readonly Provider[] = [
  {
    provide: AddAttestation,
    useFactory: (...parts: ConstructorParameters<typeof AddAttestation>) => new AddAttestation(...parts),
    inject: [RegistryUnitOfWork, CommandBus, BlobStore, Clock],
  },
  {
    provide: ContestAttestation,
    useFactory: (...parts: ConstructorParameters<typeof ContestAttestation>) => new ContestAttestation(...parts),
    inject: [RegistryUnitOfWork, CommandBus, Clock],
  },
  {
    // No change of the tenant's: it is noted while a registry is sealed.
    provide: RecordEvidenceExport,
    useFactory: (unitOfWork: PostgresRegistryUnitOfWork, clock: Clock) => new RecordEvidenceExport(unitOfWork, clock),
    inject: [PostgresRegistryUnitOfWork, Clock],
  },
];
