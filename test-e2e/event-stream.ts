import type { AuditEntryView } from '@packs/contracts';
import { eventually } from '@packs/testing';
import type { Caller } from './caller';

/** A client of server-sent events (HTML standard), as a browser's EventSource reads them but that it does not reconnect by itself. */
export class EventStream {
  readonly entries: AuditEntryView[] = [];
  readonly ids: string[] = [];
  /** Resolves when the server ends the stream, or the connection breaks. */
  readonly ended: Promise<void>;
  private readonly abort = new AbortController();

  private constructor(open: (signal: AbortSignal) => Promise<Response>) {
    this.ended = open(this.abort.signal)
      .then(({ body }) => this.read(body))
      .catch(() => undefined);
  }

  static open(reader: Caller, packId: string, lastEventId = '0'): EventStream {
    const headers = { accept: 'text/event-stream', 'last-event-id': lastEventId };
    return new EventStream(signal => reader.open('GET', `/api/packs/${packId}/events`, { headers, signal }));
  }

  get lastId(): string {
    return this.ids.at(-1) ?? '0';
  }

  async received(count: number, withinMs?: number): Promise<readonly AuditEntryView[]> {
    await eventually(() => expect(this.entries.length).toBeGreaterThanOrEqual(count), withinMs);
    return this.entries;
  }

  async close(): Promise<void> {
    this.abort.abort();
    await this.ended;
  }

  private async read(body: Response['body']): Promise<void> {
    let text = '';
    const decoder = new TextDecoder();
    for await (const chunk of body ?? []) {
      text += decoder.decode(chunk as Uint8Array, { stream: true });
      for (let end = text.indexOf('\n\n'); end >= 0; end = text.indexOf('\n\n')) {
        this.take(text.slice(0, end));
        text = text.slice(end + 2);
      }
    }
  }

  private take(block: string): void {
    const fields = new Map(block.split('\n').map(line => [line.slice(0, line.indexOf(':')), line.slice(line.indexOf(':') + 1).trim()]));
    const [id, event, data] = ['id', 'event', 'data'].map(name => fields.get(name));
    if (id === undefined || data === undefined) return;
    const entry = JSON.parse(data) as AuditEntryView;
    if (String(entry.seq) !== id || entry.type !== event) throw new Error(`the event ${id} ${event} does not fit its data: ${data}`);
    this.ids.push(id);
    this.entries.push(entry);
  }
}
