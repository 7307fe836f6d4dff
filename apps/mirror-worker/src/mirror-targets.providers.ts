import type { Provider } from '@nestjs/common';
import { FileMirrorTargets, MirrorTargetsByKind, RegistryMirrorTargets, type SealOf } from '@packs/oci-layout';
import { DataSource, PostgresSealReadModel } from '@packs/persistence';
import { BlobStore, ContentCatalog, MirrorTargets, RemoteRegistries, SealReadModel } from '@packs/ports';
import { credentialsIn, RegistryClient } from '@packs/registry-client';
import type { ConfigOf } from '@packs/service-host';
import { CheckPlace } from './check-place';
import { FetchArtifact } from './fetch-artifact/fetch-artifact';
import { pulling } from './pulling.providers';

/** Where mirrors lie: folders, and the registries that may be connected to. Where packs may come from. */
export function mirrorTargets(config: ConfigOf<'mirror-worker'>): Provider[] {
  const { registries, registryCredentialsFile, mirrorRoot, sealed, sources } = config;
  const credentialsOf = credentialsIn(registryCredentialsFile);
  const upstreams = new RegistryClient({ registries: sources ?? [], credentialsOf });
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
      provide: CheckPlace,
      useFactory: (targets: MirrorTargets) => new CheckPlace(targets, upstreams),
      inject: [MirrorTargets],
    },
    {
      provide: FetchArtifact,
      useFactory: (blobs: BlobStore, catalog: ContentCatalog, seals: SealReadModel) =>
        new FetchArtifact(upstreams, blobs, catalog, sealReadBy(seals)),
      inject: [BlobStore, ContentCatalog, SealReadModel],
    },
    ...pulling(config, upstreams, sealReadBy),
  ];
}
