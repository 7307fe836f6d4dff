import { DomainError, isBuiltInChannel } from '@packs/domain';
import type { RegistryTx } from '@packs/ports';

/**
 * A channel never goes away, so what was found once is there for good.
 * @throws DomainError ERR_PACK_CHANNEL_UNKNOWN naming the field
 */
export async function requireChannel(tx: RegistryTx, tenant: string, channel: string, field = 'channel'): Promise<void> {
  if (isBuiltInChannel(channel)) return;
  const custom = await tx.channels.custom(tenant);
  if (custom.some(({ name }) => name === channel)) return;
  throw new DomainError('ERR_PACK_CHANNEL_UNKNOWN', `${tenant} has no channel ${channel}`, {
    errors: [{ field, message: `${channel} is neither a built-in channel nor one of ${tenant}` }],
  });
}
