import { Inject, Injectable, type OnApplicationBootstrap, type OnApplicationShutdown } from '@nestjs/common';
import { EventConsumers, OutboxRelay, ReplayEvents, type NatsConnection } from '@packs/messaging';
import { DataSource } from '@packs/persistence';
import { ComparisonLoop } from './work-comparisons/comparison-loop';

export const NATS_CONNECTION = Symbol('NatsConnection');

/** Starts what works in the background once everything is there, and ends it before what it stands on. */
@Injectable()
export class Lifecycle implements OnApplicationBootstrap, OnApplicationShutdown {
  constructor(
    private readonly relay: OutboxRelay,
    private readonly consumers: EventConsumers,
    private readonly replays: ReplayEvents,
    private readonly loop: ComparisonLoop,
    private readonly dataSource: DataSource,
    @Inject(NATS_CONNECTION) private readonly connection: NatsConnection,
  ) {}

  onApplicationBootstrap(): void {
    this.relay.start();
    this.consumers.start();
    this.loop.start();
  }

  async onApplicationShutdown(): Promise<void> {
    this.replays.stop();
    await Promise.all([this.consumers.drain(), this.loop.drain()]);
    // Last, as the others emit events.
    await this.relay.drain();
    await this.connection.drain();
    await this.dataSource.destroy();
  }
}
