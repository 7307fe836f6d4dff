import type { Provider } from '@nestjs/common';
import { DataSource, PostgresAttestationReadModel, PostgresEvidenceReadModel } from '@packs/persistence';
import { AttestationReadModel, BlobStore, Clock, CommandBus, EvidenceReadModel } from '@packs/ports';
import { ExportEvidence } from './rest/export-evidence/export-evidence';
import { GetProvenance } from './rest/get-provenance/get-provenance';
import { ServableAttestations } from './serving/servable-attestations';
import { ServableVersions } from './serving/servable-versions';

/** What is attested about versions, what follows from it, and all of it in one file. */
export const attestingProviders: readonly Provider[] = [
  {
    provide: AttestationReadModel,
    useFactory: (dataSource: DataSource) => new PostgresAttestationReadModel(dataSource),
    inject: [DataSource],
  },
  { provide: EvidenceReadModel, useFactory: (dataSource: DataSource) => new PostgresEvidenceReadModel(dataSource), inject: [DataSource] },
  {
    provide: ServableAttestations,
    useFactory: (...needed: ConstructorParameters<typeof ServableAttestations>) => new ServableAttestations(...needed),
    inject: [ServableVersions, AttestationReadModel, CommandBus, Clock],
  },
  {
    provide: GetProvenance,
    useFactory: (attestations: ServableAttestations, blobs: BlobStore) => new GetProvenance(attestations, blobs),
    inject: [ServableAttestations, BlobStore],
  },
  {
    provide: ExportEvidence,
    useFactory: (...needed: ConstructorParameters<typeof ExportEvidence>) => new ExportEvidence(...needed),
    inject: [ServableAttestations, EvidenceReadModel, BlobStore],
  },
];
