import { Client } from 'pg';
import type { Stack } from '../stack/stack';
import { NATS_ADMIN } from '../stack/workspace';
import { HopFloor } from './floor-hops';
import { measureSteps } from './turn';

/** Median times in milliseconds of what no event can do without. */
export interface EventFloorTimes {
  readonly commit: number;
  readonly delivery: number;
  readonly sum: number;
}

/** One row of an outbox committed, and its bytes carried from one process to another. */
export class EventFloor {
  private constructor(
    private readonly client: Client,
    private readonly hops: HopFloor,
  ) {}

  static async open(stack: Stack): Promise<EventFloor> {
    const client = new Client({ connectionString: stack.databaseAdminUrl });
    await client.connect();
    await client.query('create schema bench_floor');
    await client.query('create table bench_floor.outbox (like registry.outbox including all)');
    return new EventFloor(
      client,
      await HopFloor.open({ url: stack.natsUrl, user: NATS_ADMIN, password: stack.nats.passwords[NATS_ADMIN] ?? '' }),
    );
  }

  get natsVersion(): string {
    return this.hops.serverVersion;
  }

  async measure(count: number, signal: AbortSignal): Promise<EventFloorTimes> {
    const commit = await measureSteps(count, signal, async () => {
      await this.client.query(ONE_ROW);
    });
    // There and back again: an event goes one way.
    const delivery = (await measureSteps(count, signal, () => this.hops.hop())) / 2;
    return { commit, delivery, sum: commit + delivery };
  }

  async close(): Promise<void> {
    this.hops.close();
    await this.client.end();
  }
}

const ONE_ROW = {
  name: 'one row',
  text: `insert into bench_floor.outbox (event_id, tenant, subject, payload) values ($1, 'acme', 'pack.version.published', $2)`,
  values: ['evt_01ARZ3NDEKTSV4RRFFQ69G5FAV', Buffer.alloc(1024, 'x')],
};
