import type { ReceiveKitReply, ReceiveKitRequest } from '@packs/contracts';
import type { KitQueue } from '@packs/ports';

/** Queues the examination of an uploaded kit, and its import. */
export class ReceiveKit {
  constructor(
    private readonly queue: KitQueue,
    private readonly queued: () => void,
  ) {}

  async execute({ id, kit, signature, preflight, acceptTrust, ...origin }: ReceiveKitRequest): Promise<ReceiveKitReply> {
    await this.queue.add(origin, id, { kind: 'import', request: { kit, signature, preflight, acceptTrust } });
    this.queued();
    return { id };
  }
}
