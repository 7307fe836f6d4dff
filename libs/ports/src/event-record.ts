import type { EventEnvelope } from '@packs/contracts';

/** The permanent record of events: every outbox, read in the order in which events happened. */
export abstract class EventRecord {
  /**
   * Events of `tenant` (null: of every tenant) that happened at or after `since`, oldest first, handed on page by page.
   * Only committed events; within one producer in order of appending.
   */
  abstract read(filter: { readonly since: Date | null; readonly tenant: string | null }): AsyncIterable<EventEnvelope>;
}
