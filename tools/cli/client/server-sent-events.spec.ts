import { serverSentEvents, type ServerSentEvent } from './server-sent-events';

async function eventsOf(text: string, size: number): Promise<ServerSentEvent[]> {
  const bytes = Buffer.from(text);
  async function* pieces(): AsyncGenerator<Uint8Array> {
    for (let at = 0; at < bytes.length; at += size) yield bytes.subarray(at, at + size);
  }
  const events: ServerSentEvent[] = [];
  for await (const event of serverSentEvents(pieces())) events.push(event);
  return events;
}

describe('serverSentEvents', () => {
  it.each([1, 3, 1000])('reads events that arrive in pieces of %d bytes', async size => {
    const stream = ': hello\n\nid: 7\nevent: pack.version.published\ndata: {"a":\ndata: "é"}\n\r\ndata:x\r\n\r\nid: 8\n\ndata: cut';
    expect(await eventsOf(stream, size)).toEqual([
      { id: '7', type: 'pack.version.published', data: '{"a":\n"é"}' },
      { id: '7', type: 'message', data: 'x' },
    ]);
  });
});
