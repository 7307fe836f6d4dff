import type { UpdateMirrorReply, UpdateMirrorRequest } from '@packs/contracts';
import { canonicalDigest, DomainError } from '@packs/domain';
import type { Clock, MirrorUnitOfWork } from '@packs/ports';
import type { CheckPlace } from '../check-place';
import { checkRoom, configuredEvent, noMirror, settingsOf } from '../mirror-settings';

/** Replaces a mirror's settings. One that is disabled ends what it has under way. */
export class UpdateMirror {
  constructor(
    private readonly unitOfWork: MirrorUnitOfWork,
    private readonly checkPlace: CheckPlace,
    private readonly clock: Clock,
  ) {}

  /** @throws DomainError ERR_MIRROR_NOT_FOUND, ERR_MIRROR_TARGET_INVALID, ERR_PACK_REQUEST_INVALID, ERR_MIRROR_EXISTS, ERR_MIRROR_BUSY */
  async execute(request: UpdateMirrorRequest): Promise<UpdateMirrorReply> {
    const { tenant, actor, id, settings } = request;
    await this.checkPlace.execute(tenant, settings);
    return this.unitOfWork.run(tenant, async tx => {
      await tx.mirrors.lock(tenant);
      const before = await tx.mirrors.find(tenant, id);
      if (!before) throw noMirror(id);
      if (canonicalDigest(settingsOf(before)) === canonicalDigest(settings)) return { mirror: before, changed: false };
      checkRoom(
        settings,
        (await tx.mirrors.list(tenant)).filter(other => other.id !== id),
      );
      const turns = (before.pull === undefined) !== (settings.pull === undefined);
      const moves = turns || before.kind !== settings.kind || before.location !== settings.location;
      if (moves && (await tx.jobs.running(tenant, id))) {
        throw new DomainError('ERR_MIRROR_BUSY', `mirror ${before.name} is being synced; disable it first, or wait`, { retry: 'later' });
      }
      if (!settings.enabled) await tx.jobs.cancel(tenant, id, 'ERR_MIRROR_DISABLED', 'the mirror was disabled');
      const at = this.clock.now();
      const mirror = await tx.mirrors.update(tenant, id, { settings, actor, at });
      await tx.outbox.append(configuredEvent(request, mirror, at));
      return { mirror, changed: true };
    });
  }
}
