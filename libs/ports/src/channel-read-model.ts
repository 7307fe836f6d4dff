import type { ChannelView, PackChannels, PackChannelsQuery } from '@packs/contracts';
import type { Viewpoint } from './pack-read-model';

export abstract class ChannelReadModel {
  /** Those every tenant has, then the tenant's own by name. */
  abstract channels(tenant: string): Promise<ChannelView[]>;
  /** What the pack's channels point at and how they came to it; undefined when there is no such pack to be seen. */
  abstract ofPack(at: Viewpoint, packId: string, query: PackChannelsQuery): Promise<PackChannels | undefined>;
}
