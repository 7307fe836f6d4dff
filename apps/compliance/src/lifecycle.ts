import { Inject, Injectable, type OnApplicationBootstrap, type OnApplicationShutdown } from '@nestjs/common';
import { EventConsumers, ReplayEvents, type NatsConnection } from '@packs/messaging';
import { DataSource } from '@packs/persistence';

export const NATS_CONNECTION = Symbol('NatsConnection');

/** Consumes once everything is there; finishes the events at hand before what they stand on goes. */
@Injectable()
export class Lifecycle implements OnApplicationBootstrap, OnApplicationShutdown {
  constructor(
    private readonly consumers: EventConsumers,
    private readonly replays: ReplayEvents,
    private readonly dataSource: DataSource,
    @Inject(NATS_CONNECTION) private readonly connection: NatsConnection,
  ) {}

  onApplicationBootstrap(): void {
    this.consumers.start();
  }

  async onApplicationShutdown(): Promise<void> {
    this.replays.stop();
    await this.consumers.drain();
    await this.connection.drain();
    await this.dataSource.destroy();
  }
}
