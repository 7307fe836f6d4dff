import { DomainError, requireUnsealed } from '@packs/domain';
import { MirrorTargets, type MirrorPlace, type MirrorTarget, type RemoteRegistries } from '@packs/ports';
import { toMirrorFault } from './registry-faults';
import { RegistryMirrorTarget } from './registry-mirror-target';
import { RegistryPlace } from './registry-place';

/** Who sealed a tenant, if anybody did. */
export type SealOf = (tenant: string) => Promise<Parameters<typeof requireUnsealed>[0]>;

/** Mirrors in registries. A sealed registry connects to none of them. */
export class RegistryMirrorTargets extends MirrorTargets {
  constructor(
    private readonly registries: RemoteRegistries,
    private readonly sealOf: SealOf,
  ) {
    super();
  }

  async open(place: MirrorPlace): Promise<MirrorTarget> {
    const at = RegistryPlace.of(place);
    requireUnsealed(await this.sealOf(place.tenant));
    try {
      return new RegistryMirrorTarget(this.registries, at);
    } catch (error) {
      if (!(error instanceof DomainError) || error.code !== 'ERR_PACK_REQUEST_INVALID') throw toMirrorFault(place.location, error);
      throw new DomainError('ERR_MIRROR_TARGET_INVALID', error.message, { errors: [{ field: 'location', message: error.message }] });
    }
  }
}

/** Folders here, registries there. */
export class MirrorTargetsByKind extends MirrorTargets {
  constructor(
    private readonly folders: MirrorTargets,
    private readonly registries: MirrorTargets,
  ) {
    super();
  }

  open(place: MirrorPlace): Promise<MirrorTarget> {
    return (place.kind === 'registry' ? this.registries : this.folders).open(place);
  }
}
