import type { TObject } from '@sinclair/typebox';
import { ulid } from 'ulid';
import type { EventContract, EventEnvelope, EventOrigin } from './event-contract';

/** What the caller says of an event; id, type and time are added here. */
export type NewEventData<C extends EventContract> = Omit<C['data']['static'], 'id' | 'type'>;

/** An event of the given kind that happened at `at`. */
export function newEvent<D extends TObject>(contract: EventContract<D>, data: NewEventData<EventContract<D>>, at: Date): EventEnvelope {
  const id = `evt_${ulid(at.getTime())}`;
  const full = { id, type: contract.type, ...data } as unknown as EventOrigin & Record<string, unknown>;
  return {
    specversion: '1.0',
    id,
    source: `/packs-registry/${contract.producer}`,
    type: contract.type,
    subject: [full.tenant, full.packId, full.version].filter(part => part !== null).join('/'),
    time: at.toISOString(),
    datacontenttype: 'application/json',
    data: full,
  };
}
