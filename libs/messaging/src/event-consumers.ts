import type { Logger } from '@packs/observability';
import type { DeadLetters } from '@packs/ports';
import type { NatsConnection } from 'nats';
import { EventConsumer } from './event-consumer';
import type { EventSubscriber } from './event-subscriber';

/** The durable consumers of one process: each at its own pace, none waiting for another. */
export class EventConsumers {
  private readonly running: readonly { readonly name: string; readonly consumer: EventConsumer }[];

  constructor(connection: NatsConnection, subscribers: readonly EventSubscriber[], deadLetters: DeadLetters, logger: Logger) {
    this.running = subscribers.map(subscriber => ({
      name: subscriber.contract.name,
      consumer: new EventConsumer(
        connection,
        subscriber.contract,
        async event => void (await subscriber.apply(event)),
        deadLetters,
        logger,
        subscriber.applyTogether && (async events => void (await subscriber.applyTogether?.(events))),
      ),
    }));
  }

  start(): void {
    for (const { consumer } of this.running) consumer.start();
  }

  /** One readiness check for each. */
  checks(): { readonly name: string; check(): void }[] {
    return this.running.map(({ name, consumer }) => ({ name, check: () => consumer.check() }));
  }

  /** Finishes what is at hand and stops. */
  async drain(): Promise<void> {
    await Promise.all(this.running.map(({ consumer }) => consumer.drain()));
  }
}
