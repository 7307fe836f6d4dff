import { ReplaceBlob } from '@packs/contracts';
import { DomainError } from '@packs/domain';
import type { Logger } from '@packs/observability';
import type { BlobStore, CommandBus, HeldRepair, MirrorPlace, MirrorTargets, MirrorUnitOfWork } from '@packs/ports';

/** Brings a damaged blob back from one of the tenant's mirrors. */
export class RepairBlob {
  constructor(
    private readonly unitOfWork: MirrorUnitOfWork,
    private readonly targets: MirrorTargets,
    private readonly blobs: BlobStore,
    private readonly commands: CommandBus,
    private readonly logger: Logger,
  ) {}

  /** @throws DomainError ERR_PACK_NOT_FOUND when no mirror has it; why a mirror could not be asked, when that may change */
  async execute(repair: HeldRepair, signal: AbortSignal): Promise<void> {
    const { tenant, digest } = repair;
    const mirrors = await this.unitOfWork.run(tenant, tx => tx.mirrors.list(tenant));
    let fault: DomainError | undefined;
    for (const mirror of mirrors.filter(({ enabled, pull }) => enabled && !pull)) {
      signal.throwIfAborted();
      try {
        if (await this.bring(mirror, repair, signal)) return;
      } catch (error) {
        signal.throwIfAborted();
        if (!(error instanceof DomainError)) throw error;
        this.logger.warn({ err: error, tenant, mirror: mirror.id, digest }, 'a mirror could not give a damaged blob back');
        if (error.retry === 'later') fault = error;
      }
    }
    throw fault ?? new DomainError('ERR_PACK_NOT_FOUND', `no mirror of ${tenant} has ${digest}`, { details: { digest } });
  }

  /** The digest proves what a mirror gives, whatever its state says of it. Returns whether it had it. */
  private async bring(place: MirrorPlace, { digest, size }: HeldRepair, signal: AbortSignal): Promise<boolean> {
    const target = await this.targets.open(place);
    const state = await target.state();
    const object = state?.versions.flatMap(version => target.objectsOf(version)).find(one => one.digest === digest);
    if (!object) return false;
    const written = await this.blobs.write(abortable(target.read(object.path), signal), { maxBytes: size, digest });
    const { outcome } = await this.commands.send(ReplaceBlob, { blob: written });
    if (outcome === 'unchanged') await this.blobs.remove(written.objectKey);
    return true;
  }
}

async function* abortable(source: AsyncIterable<Uint8Array>, signal: AbortSignal): AsyncGenerator<Uint8Array, void> {
  for await (const chunk of source) {
    signal.throwIfAborted();
    yield chunk;
  }
}
