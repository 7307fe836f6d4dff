import { AUDIT_CONSUMER, EVENT_STREAM, type ConsumerContract } from '@packs/contracts';
import { connect, type NatsConnection } from 'nats';
import type { Registry } from './registry';

/** Runs `work` with a connection of this NATS user; `admin` may do everything, the others what the contracts give their process. */
export async function withNats<T>({ facts }: Registry, user: string, work: (connection: NatsConnection) => Promise<T>): Promise<T> {
  const inboxPrefix = user === 'admin' ? undefined : `_INBOX_${user.replaceAll('-', '_')}`;
  const connection = await connect({ servers: facts.nats.url, user, pass: facts.nats.passwords[user], inboxPrefix });
  try {
    return await work(connection);
  } finally {
    await connection.close();
  }
}

/** Events that a consumer has not finished, by default the audit log's. */
export function unsettled(registry: Registry, consumer: ConsumerContract = AUDIT_CONSUMER): Promise<number> {
  return withNats(registry, 'admin', async connection => {
    const manager = await connection.jetstreamManager();
    const { num_pending: waiting, num_ack_pending: atHand } = await manager.consumers.info(EVENT_STREAM.name, consumer.name);
    return waiting + atHand;
  });
}
