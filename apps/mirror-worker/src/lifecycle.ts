import { Inject, Injectable, type OnApplicationBootstrap, type OnApplicationShutdown } from '@nestjs/common';
import { EventConsumers, NatsCommandBus, OutboxRelay, ReplayEvents, type NatsConnection } from '@packs/messaging';
import { DataSource } from '@packs/persistence';
import { CommandBus } from '@packs/ports';
import { JobLoop } from './work-jobs/job-loop';
import { KitLoop } from './work-kits/kit-loop';

export const NATS_CONNECTION = Symbol('NatsConnection');

/** What works in the background. */
@Injectable()
export class Background {
  constructor(
    private readonly relay: OutboxRelay,
    private readonly consumers: EventConsumers,
    private readonly replays: ReplayEvents,
    private readonly jobs: JobLoop,
    private readonly kits: KitLoop,
  ) {}

  start(): void {
    this.relay.start();
    this.consumers.start();
    this.jobs.start();
    this.kits.start();
  }

  /** Finishes or gives back what is at hand; the relay last, as all the others emit events. */
  async drain(): Promise<void> {
    this.replays.stop();
    await Promise.all([this.consumers.drain(), this.jobs.drain(), this.kits.drain()]);
    await this.relay.drain();
  }
}

/** Starts the background once everything is there, and ends it before what it stands on. */
@Injectable()
export class Lifecycle implements OnApplicationBootstrap, OnApplicationShutdown {
  constructor(
    private readonly background: Background,
    private readonly commands: CommandBus,
    private readonly dataSource: DataSource,
    @Inject(NATS_CONNECTION) private readonly connection: NatsConnection,
  ) {}

  onApplicationBootstrap(): void {
    this.background.start();
  }

  async onApplicationShutdown(): Promise<void> {
    await this.background.drain();
    if (this.commands instanceof NatsCommandBus) await this.commands.close();
    await this.connection.drain();
    await this.dataSource.destroy();
  }
}
