import type { CreateMirrorReply, CreateMirrorRequest } from '@packs/contracts';
import { DomainError } from '@packs/domain';
import type { Clock, MirrorUnitOfWork } from '@packs/ports';
import { ulid } from 'ulid';
import type { CheckPlace } from '../check-place';
import { checkRoom, configuredEvent } from '../mirror-settings';

/** Mirrors of one tenant at the most. */
const MAX_MIRRORS = 100;

/** Adds a mirror. It shows nothing before its first sync. */
export class CreateMirror {
  constructor(
    private readonly unitOfWork: MirrorUnitOfWork,
    private readonly checkPlace: CheckPlace,
    private readonly clock: Clock,
  ) {}

  /** @throws DomainError ERR_MIRROR_TARGET_INVALID, ERR_PACK_REQUEST_INVALID, ERR_MIRROR_EXISTS, ERR_PACK_LIMIT */
  async execute(request: CreateMirrorRequest): Promise<CreateMirrorReply> {
    const { tenant, actor, settings } = request;
    await this.checkPlace.execute(tenant, settings);
    return this.unitOfWork.run(tenant, async tx => {
      await tx.mirrors.lock(tenant);
      const others = await tx.mirrors.list(tenant);
      if (others.length >= MAX_MIRRORS) throw new DomainError('ERR_PACK_LIMIT', `a tenant has at most ${MAX_MIRRORS} mirrors`);
      checkRoom(settings, others);
      const at = this.clock.now();
      const mirror = await tx.mirrors.add(tenant, ulid(), { settings, actor, at });
      await tx.outbox.append(configuredEvent(request, mirror, at));
      return { mirror };
    });
  }
}
