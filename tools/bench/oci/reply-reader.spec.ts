import { ReplyReader, type Reply } from './reply-reader';

/** Fed in pieces of `size` bytes. */
function read(text: string, { size = text.length, method = 'GET', keeps = true } = {}): Reply | undefined {
  const reader = new ReplyReader(method, keeps);
  const bytes = Buffer.from(text, 'latin1');
  let reply: Reply | undefined;
  for (let at = 0; at < bytes.length; at += size) reply = reader.feed(bytes.subarray(at, at + size));
  return reply;
}

const COUNTED = 'HTTP/1.1 200 OK\r\nContent-Length: 5\r\nDocker-Content-Digest: sha256:ab\r\n\r\nhello';
const CHUNKED = 'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n4\r\nhell\r\nA;x=y\r\no, world!!\r\n0\r\n\r\n';

describe.each([1, 2, 3, 7, 1000])('in pieces of %i bytes', size => {
  it('reads a body whose length is given', () => {
    const reply = read(COUNTED, { size });
    expect([reply?.status, reply?.headers.get('docker-content-digest'), reply?.length, reply?.body.toString()]).toEqual([
      200,
      'sha256:ab',
      5,
      'hello',
    ]);
  });

  it('reads a body in chunks', () => {
    expect(read(CHUNKED, { size })?.body.toString()).toBe('hello, world!!');
  });

  it('counts a body that is not kept', () => {
    const reply = read(CHUNKED, { size, keeps: false });
    expect([reply?.length, reply?.body.length]).toEqual([14, 0]);
  });
});

it.each([
  ['HEAD', 'HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n', 200],
  ['GET', 'HTTP/1.1 304 Not Modified\r\nContent-Length: 5\r\n\r\n', 304],
  ['DELETE', 'HTTP/1.1 202 Accepted\r\nContent-Length: 0\r\n\r\n', 202],
  ['PUT', 'HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 201 Created\r\nContent-Length: 0\r\n\r\n', 201],
])('%s ends with its head: %j', (method, text, status) => {
  expect(read(text, { method })?.status).toBe(status);
});

it('is not whole before its last byte', () => {
  expect(read(COUNTED.slice(0, -1))).toBeUndefined();
  expect(read(CHUNKED.slice(0, -1))).toBeUndefined();
});
