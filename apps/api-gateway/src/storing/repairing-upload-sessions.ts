import type { Digest, RepositoryName } from '@packs/domain';
import { PostgresUploadSessions, type DataSource } from '@packs/persistence';
import { isQuarantined, repairBlob, type CommandBus, type StoredBlob } from '@packs/ports';

/** Uploads that heal what lies in quarantine under the same digest. */
export class RepairingUploadSessions extends PostgresUploadSessions {
  constructor(
    dataSource: DataSource,
    private readonly commands: CommandBus,
  ) {
    super(dataSource);
  }

  override async link(to: RepositoryName, actor: string, blob: StoredBlob, session?: string): Promise<StoredBlob> {
    const recorded = await super.link(to, actor, blob, session);
    return (await repairBlob(this.commands, recorded, blob)) ?? super.link(to, actor, blob);
  }

  override async linkWhole(
    to: RepositoryName,
    actor: string,
    blob: StoredBlob,
    session: string,
  ): Promise<StoredBlob | 'unknown' | 'begun'> {
    const linked = await super.linkWhole(to, actor, blob, session);
    if (typeof linked !== 'object') return linked;
    return (await repairBlob(this.commands, linked, blob)) ?? super.link(to, actor, blob);
  }

  /** What is damaged cannot be mounted: the client then sends its bytes, which heal it. */
  override async mount(to: RepositoryName, actor: string, digest: Digest, from: RepositoryName): Promise<StoredBlob | undefined> {
    const mounted = await super.mount(to, actor, digest, from);
    return mounted && isQuarantined(mounted) ? undefined : mounted;
  }
}
