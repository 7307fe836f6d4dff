import { EVENT_STREAM } from '@packs/contracts';
import { currentTraceparent, inSpan } from '@packs/observability';
import type { OutboxRow } from '@packs/ports';
import { headers, RetentionPolicy, StorageType, type NatsConnection, type StreamConfig } from 'nats';

/** Message ids are remembered this long, so that a row sent twice after a lost ack is stored once. */
const DUPLICATE_WINDOW_NANOS = 2 * 60 * 1_000_000_000;
const ACK_TIMEOUT_MS = 5_000;

/** The event stream: the wire, not the record. What it loses is still in the outbox. */
export class EventStream {
  constructor(
    private readonly connection: NatsConnection,
    private readonly replicas: number,
  ) {}

  /**
   * Makes the stream, or brings it to this configuration.
   * @throws Error when the server did not take over a setting: old servers drop what they do not know
   */
  async ensure(): Promise<void> {
    const manager = await this.connection.jetstreamManager({ timeout: ACK_TIMEOUT_MS });
    const wanted = {
      name: EVENT_STREAM.name,
      subjects: [...EVENT_STREAM.subjects],
      storage: StorageType.File,
      retention: RetentionPolicy.Limits,
      num_replicas: this.replicas,
      duplicate_window: DUPLICATE_WINDOW_NANOS,
      max_age: 0,
    } satisfies Partial<StreamConfig>;
    const known = await manager.streams.info(EVENT_STREAM.name).catch(() => undefined);
    const { config } = known ? await manager.streams.update(EVENT_STREAM.name, wanted) : await manager.streams.add(wanted);
    for (const [key, value] of Object.entries(wanted)) {
      const kept = config[key as keyof StreamConfig];
      if (JSON.stringify(kept) !== JSON.stringify(value))
        throw new Error(`the server keeps ${key} of stream ${config.name} at ${JSON.stringify(kept)}`);
    }
  }

  /** Publishes rows in their order, each with its event id as message id. Returns how many, from the front, were acknowledged. */
  async publish(rows: readonly OutboxRow[]): Promise<number> {
    const jetstream = this.connection.jetstream({ timeout: ACK_TIMEOUT_MS });
    const acks = rows.map(row =>
      inSpan(
        `publish ${row.subject}`,
        'producer',
        async () => {
          const carried = headers();
          const traceparent = currentTraceparent() ?? row.traceparent;
          if (traceparent) carried.set('traceparent', traceparent);
          await jetstream.publish(row.subject, row.payload, { msgID: row.eventId, headers: carried });
        },
        { traceparent: row.traceparent },
      ),
    );
    const results = await Promise.allSettled(acks);
    const failed = results.findIndex(result => result.status === 'rejected');
    return failed === -1 ? rows.length : failed;
  }
}
