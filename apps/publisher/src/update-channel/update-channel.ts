import { ChannelUpdated, newEvent, type UpdateChannelReply, type UpdateChannelRequest } from '@packs/contracts';
import { canonicalDigest, DomainError, isBuiltInChannel } from '@packs/domain';
import type { Clock, RegistryUnitOfWork } from '@packs/ports';

/** Own channels of one tenant at the most. */
const MAX_CHANNELS = 64;

/** Adds a channel of the tenant's own, or describes it anew. There is no way to take one away: versions were published to it. */
export class UpdateChannel {
  constructor(
    private readonly unitOfWork: RegistryUnitOfWork,
    private readonly clock: Clock,
  ) {}

  /** @throws DomainError ERR_PACK_REQUEST_INVALID for a built-in channel, ERR_PACK_LIMIT */
  async execute(request: UpdateChannelRequest): Promise<UpdateChannelReply> {
    const { tenant, actor, source, name, description } = request;
    if (isBuiltInChannel(name)) {
      throw new DomainError('ERR_PACK_REQUEST_INVALID', `${name} is built in and cannot be redefined`, {
        errors: [{ field: 'name', message: `${name} is built in` }],
      });
    }
    return this.unitOfWork.run(tenant, async tx => {
      // Two first channels of one tenant take turns on its row.
      await tx.trust.state(tenant, 'update');
      const channels = await tx.channels.custom(tenant);
      const current = channels.find(one => one.name === name);
      if (current?.description === description) return { channel: current, changed: false };
      if (!current && channels.length >= MAX_CHANNELS)
        throw new DomainError('ERR_PACK_LIMIT', `a tenant has at most ${MAX_CHANNELS} channels`);
      const now = this.clock.now();
      const channel = { name, description, createdAt: current?.createdAt ?? now.toISOString(), createdBy: current?.createdBy ?? actor };
      await tx.channels.put(tenant, channel);
      const { createdAt, createdBy } = channel;
      const state = { channel: name, description, createdAt, createdBy };
      const data = { packId: null, version: null, actor, tenant, source, signatures: [], metadataHash: canonicalDigest(state) };
      await tx.outbox.append(newEvent(ChannelUpdated, { ...data, ...state }, now));
      return { channel, changed: true };
    });
  }
}
