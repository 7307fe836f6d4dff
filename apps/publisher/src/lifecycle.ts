import { Inject, Injectable, type OnApplicationBootstrap, type OnApplicationShutdown } from '@nestjs/common';
import { EventStream, NatsCommandBus, OutboxRelay, type NatsConnection } from '@packs/messaging';
import { DataSource } from '@packs/persistence';
import { CommandBus } from '@packs/ports';
import { Recurring } from '@packs/service-host';

export type { NatsConnection };
export const NATS_CONNECTION = Symbol('NatsConnection');
export const UPKEEP = Symbol('Upkeep');

/** Starts the relay once everything is there, and ends it before what it stands on. */
@Injectable()
export class Lifecycle implements OnApplicationBootstrap, OnApplicationShutdown {
  constructor(
    private readonly stream: EventStream,
    private readonly relay: OutboxRelay,
    @Inject(UPKEEP) private readonly upkeep: readonly Recurring[],
    private readonly commands: CommandBus,
    private readonly dataSource: DataSource,
    @Inject(NATS_CONNECTION) private readonly connection: NatsConnection,
  ) {}

  async onApplicationBootstrap(): Promise<void> {
    await this.stream.ensure();
    this.relay.start();
    for (const recurring of this.upkeep) recurring.start();
  }

  async onApplicationShutdown(): Promise<void> {
    await Promise.all(this.upkeep.map(recurring => recurring.drain()));
    await this.relay.drain();
    if (this.commands instanceof NatsCommandBus) await this.commands.close();
    await this.connection.drain();
    await this.dataSource.destroy();
  }
}
