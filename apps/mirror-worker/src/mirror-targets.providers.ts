import type { Provider } from '@nestjs/common';
import { FileMirrorTargets, MirrorTargetsByKind, RegistryMirrorTargets, type SealOf } from '@packs/oci-layout';
import { DataSource, PostgresSealReadModel } from '@packs/persistence';
import { MirrorTargets, RemoteRegistries, SealReadModel } from '@packs/ports';
import { credentialsIn, RegistryClient } from '@packs/registry-client';
import type { ConfigOf } from '@packs/service-host';

/** Where mirrors lie: folders, and the registries that may be connected to. */
export function mirrorTargets({ registries, registryCredentialsFile, mirrorRoot, sealed }: ConfigOf<'mirror-worker'>): Provider[] {
  return [
    {
      provide: RemoteRegistries,
      useFactory: () => new RegistryClient({ registries: registries ?? [], credentialsOf: credentialsIn(registryCredentialsFile) }),
    },
    { provide: SealReadModel, useFactory: (dataSource: DataSource) => new PostgresSealReadModel(dataSource), inject: [DataSource] },
    {
      provide: MirrorTargets,
      useFactory: (remote: RemoteRegistries, seals: SealReadModel) => {
        const sealOf: SealOf = async tenant => (sealed ? 'configuration' : (await seals.seal(tenant)).by);
        return new MirrorTargetsByKind(new FileMirrorTargets(new URL(mirrorRoot).pathname), new RegistryMirrorTargets(remote, sealOf));
      },
      inject: [RemoteRegistries, SealReadModel],
    },
  ];
}
