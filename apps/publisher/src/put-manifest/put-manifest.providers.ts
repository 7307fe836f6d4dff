import type { Provider } from '@nestjs/common';
import type { Logger } from '@packs/observability';
import { DataSource, PostgresContentCatalog, PostgresGenericContent } from '@packs/persistence';
import {
  BlobStore,
  Clock,
  CommandBus,
  ContentCatalog,
  GenericContent,
  RegistryUnitOfWork,
  RepairingCatalog,
  RepairingGenericContent,
} from '@packs/ports';
import { AddAttestation } from '../add-attestation/add-attestation';
import { AttestClaim } from '../add-attestation/attest-claim';
import { DeleteContent } from '../delete-content/delete-content';
import { DeprecateVersion } from '../deprecate-version/deprecate-version';
import { upkeep } from '../upkeep.provider';
import { PublishArtifact } from '../publish-pack/publish-artifact';
import { PublishPack } from '../publish-pack/publish-pack';
import { RotateSignature } from '../rotate-signature/rotate-signature';
import { CompletePending } from './complete-pending';
import { PutManifest } from './put-manifest';
import { PutPack } from './put-pack';
import { PutReferrer } from './put-referrer';

/** Everything that content comes in by, from either door, and goes out by. */
export function publishing({ sealed }: { readonly sealed: boolean }, logger: Logger): Provider[] {
  return [
    {
      provide: ContentCatalog,
      useFactory: (dataSource: DataSource, commands: CommandBus) => new RepairingCatalog(new PostgresContentCatalog(dataSource), commands),
      inject: [DataSource, CommandBus],
    },
    {
      provide: GenericContent,
      useFactory: (dataSource: DataSource, commands: CommandBus) =>
        new RepairingGenericContent(new PostgresGenericContent(dataSource, sealed), commands),
      inject: [DataSource, CommandBus],
    },
    {
      provide: PublishArtifact,
      useFactory: (...parts: ConstructorParameters<typeof PublishArtifact>) => new PublishArtifact(...parts),
      inject: [RegistryUnitOfWork, CommandBus, BlobStore, Clock],
    },
    {
      provide: PublishPack,
      useFactory: (...parts: ConstructorParameters<typeof PublishPack>) => new PublishPack(...parts),
      inject: [RegistryUnitOfWork, BlobStore, PublishArtifact],
    },
    ...[PutPack, CompletePending].map(useCase => ({
      provide: useCase,
      useFactory: (unitOfWork: RegistryUnitOfWork, publishArtifact: PublishArtifact) => new useCase(unitOfWork, publishArtifact),
      inject: [RegistryUnitOfWork, PublishArtifact],
    })),
    {
      provide: PutReferrer,
      useFactory: (...parts: ConstructorParameters<typeof PutReferrer>) => new PutReferrer(...parts),
      inject: [RegistryUnitOfWork, BlobStore, Clock, AddAttestation, RotateSignature, CompletePending],
    },
    {
      provide: AttestClaim,
      useFactory: (...parts: ConstructorParameters<typeof AttestClaim>) => new AttestClaim(...parts),
      inject: [RegistryUnitOfWork, BlobStore, Clock, CompletePending, AddAttestation],
    },
    {
      provide: PutManifest,
      useFactory: (...parts: ConstructorParameters<typeof PutManifest>) => new PutManifest(...parts),
      inject: [GenericContent, ContentCatalog, BlobStore, Clock, PutPack, PutReferrer],
    },
    {
      provide: DeleteContent,
      useFactory: (...parts: ConstructorParameters<typeof DeleteContent>) => new DeleteContent(...parts),
      inject: [RegistryUnitOfWork, Clock, DeprecateVersion],
    },
    upkeep(logger),
  ];
}
