import { Inject, Injectable, type OnApplicationBootstrap, type OnApplicationShutdown } from '@nestjs/common';
import { EventConsumer, type NatsConnection } from '@packs/messaging';
import { DataSource } from '@packs/persistence';

export const NATS_CONNECTION = Symbol('NatsConnection');

/** Consumes once everything is there; finishes the event at hand before what it stands on goes. */
@Injectable()
export class Lifecycle implements OnApplicationBootstrap, OnApplicationShutdown {
  constructor(
    private readonly consumer: EventConsumer,
    private readonly dataSource: DataSource,
    @Inject(NATS_CONNECTION) private readonly connection: NatsConnection,
  ) {}

  onApplicationBootstrap(): void {
    this.consumer.start();
  }

  async onApplicationShutdown(): Promise<void> {
    await this.consumer.drain();
    await this.connection.drain();
    await this.dataSource.destroy();
  }
}
