import type { Provider } from '@nestjs/common';
import { FileMirrorTargets, MirrorTargetsByKind, RegistryMirrorTargets, type SealOf } from '@packs/oci-layout';
import { DataSource, PostgresSealReadModel } from '@packs/persistence';
import { BlobStore, ContentCatalog, MirrorTargets, RemoteRegistries, SealReadModel } from '@packs/ports';
import { credentialsIn, RegistryClient } from '@packs/registry-client';
import type { ConfigOf } from '@packs/service-host';
import { FetchArtifact } from './fetch-artifact/fetch-artifact';

/** Where mirrors lie: folders, and the registries that may be connected to. Where packs may come from. */
export function mirrorTargets({ registries, registryCredentialsFile, mirrorRoot, sealed, sources }: ConfigOf<'mirror-worker'>): Provider[] {
  const credentialsOf = credentialsIn(registryCredentialsFile);
  const sealReadBy =
    (seals: SealReadModel): SealOf =>
    async tenant =>
      sealed ? 'configuration' : (await seals.seal(tenant)).by;
  return [
    {
      provide: RemoteRegistries,
      useFactory: () => new RegistryClient({ registries: registries ?? [], credentialsOf }),
    },
    { provide: SealReadModel, useFactory: (dataSource: DataSource) => new PostgresSealReadModel(dataSource), inject: [DataSource] },
    {
      provide: MirrorTargets,
      useFactory: (remote: RemoteRegistries, seals: SealReadModel) => {
        const folders = new FileMirrorTargets(new URL(mirrorRoot).pathname);
        return new MirrorTargetsByKind(folders, new RegistryMirrorTargets(remote, sealReadBy(seals)));
      },
      inject: [RemoteRegistries, SealReadModel],
    },
    {
      provide: FetchArtifact,
      useFactory: (blobs: BlobStore, catalog: ContentCatalog, seals: SealReadModel) =>
        new FetchArtifact(new RegistryClient({ registries: sources ?? [], credentialsOf }), blobs, catalog, sealReadBy(seals)),
      inject: [BlobStore, ContentCatalog, SealReadModel],
    },
  ];
}
