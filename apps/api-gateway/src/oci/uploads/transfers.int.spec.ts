import { createHash } from 'node:crypto';
import type { Socket } from 'node:net';
import { FileBlobStore } from '@packs/object-storage';
import { eventually } from '@packs/testing';
import { aBlob, PushingSpec, type Replica } from './pushing.fixture';

const MIB = 1024 * 1024;
const UPLOADS = '/v2/acme/app/blobs/uploads/';
const BLOCKS = 3;
/** So little that transfers are always in each other's way. */
const MEMORY = { filling: { most: BLOCKS, patienceMs: 20 }, sending: { most: BLOCKS, patienceMs: 300 } };

jest.setTimeout(60_000);

/** Takes what comes at its own pace, and can stop. */
class SlowDownload {
  private readonly hash = createHash('sha256');
  private head = '';
  private received = 0;
  readonly ended = Promise.withResolvers<number>();

  constructor(
    readonly socket: Socket,
    private readonly size: number,
    /** After so many bytes the connection is cut. */
    private readonly most = Infinity,
  ) {
    socket.on('data', piece => this.take(piece)).once('close', () => this.ended.resolve(this.received));
  }

  get digest(): string {
    return `sha256:${this.hash.digest('hex')}`;
  }

  private take(piece: Buffer): void {
    const body = this.head.endsWith('\r\n\r\n') ? piece : this.afterHead(piece);
    this.hash.update(body);
    this.received += body.length;
    if (this.received >= Math.min(this.size, this.most)) return void this.socket.destroy();
    this.socket.pause();
    setImmediate(() => this.socket.resume());
  }

  private afterHead(piece: Buffer): Buffer {
    const text = this.head + piece.toString('latin1');
    const end = text.indexOf('\r\n\r\n');
    this.head = end < 0 ? text : text.slice(0, end + 4);
    return end < 0 ? Buffer.alloc(0) : piece.subarray(piece.length - (text.length - end - 4));
  }
}

describe('many blobs on their way at a time', () => {
  let spec: PushingSpec;
  let store: FileBlobStore;
  let gateway: Replica;
  beforeAll(async () => {
    spec = await PushingSpec.open();
    store = await FileBlobStore.open(spec.folder, MEMORY);
    gateway = await spec.replica({ blobs: store });
  });
  afterAll(() => spec.close());
  beforeEach(() => spec.clear());

  const push = async (blob: ReturnType<typeof aBlob>): Promise<void> => {
    expect((await gateway.ask('POST', `${UPLOADS}?digest=${blob.digest}`, {}, blob.bytes)).status).toBe(201);
  };
  const pathOf = (digest: string): string => `/v2/acme/app/blobs/${digest}`;
  const nothingHeld = () =>
    eventually(() => {
      const { filling, sending } = store.memory;
      expect([filling.lent, filling.waiting, sending.lent, sending.waiting]).toEqual([0, 0, 0, 0]);
    });

  it('are each their own, whether their clients are fast, slow or gone', async () => {
    const stored = Array.from({ length: 10 }, (_, at) => aBlob(2 * MIB + at * 77_777));
    await Promise.all(stored.map(push));
    const pushed = Array.from({ length: 10 }, (_, at) => aBlob(MIB + at * 234_567));
    const fast = async ({ digest, bytes }: ReturnType<typeof aBlob>): Promise<void> => {
      const read = await gateway.ask('GET', pathOf(digest));
      expect(createHash('sha256').update(read.bytes).digest('hex')).toBe(digest.slice('sha256:'.length));
      const range = { range: `bytes=${MIB - 5}-${MIB + 70_000}` };
      expect((await gateway.ask('GET', pathOf(digest), range)).bytes.equals(bytes.subarray(MIB - 5, MIB + 70_001))).toBe(true);
    };
    const slow = async ({ digest, bytes }: ReturnType<typeof aBlob>, most?: number): Promise<void> => {
      const download = new SlowDownload(await gateway.raw('GET', pathOf(digest), 0), bytes.length, most);
      const received = await download.ended.promise;
      if (most === undefined) expect([received, download.digest]).toEqual([bytes.length, digest]);
    };
    const cutUpload = async ({ digest, bytes }: ReturnType<typeof aBlob>): Promise<void> => {
      const socket = await gateway.raw('POST', `${UPLOADS}?digest=${digest}`, bytes.length);
      await new Promise(resolve => socket.write(bytes.subarray(0, MIB + 10_000), resolve));
      socket.destroy();
    };
    const cut = pushed.map(() => aBlob(3 * MIB));
    await Promise.all([
      ...stored.map(fast),
      ...stored.map(blob => slow(blob)),
      ...stored.map((blob, at) => slow(blob, at * 200_000)),
      ...pushed.map(push),
      ...cut.map(cutUpload),
    ]);
    for (const { digest, bytes } of pushed) expect((await gateway.ask('GET', pathOf(digest))).bytes.equals(bytes)).toBe(true);
    await nothingHeld();
    const { filling, sending } = store.memory;
    expect([filling.mostLent, sending.mostLent, filling.made, sending.made]).toEqual([BLOCKS, BLOCKS, BLOCKS, BLOCKS]);
    await eventually(async () => expect((await spec.files()).unfinished).toBe(0));
  });

  it('go on while clients stall: their uploads wait, and downloads that others wait for are cut', async () => {
    const stored = aBlob(12 * MIB);
    await push(stored);
    const sleepers = await Promise.all(Array.from({ length: BLOCKS + 1 }, () => gateway.raw('GET', pathOf(stored.digest), 0)));
    for (const socket of sleepers) socket.pause();
    await eventually(() => expect(store.memory.sending.lent).toBe(BLOCKS));
    const begun = Array.from({ length: BLOCKS + 1 }, () => aBlob(2 * MIB));
    const sockets = await Promise.all(
      begun.map(async ({ digest, bytes }) => {
        const socket = await gateway.raw('POST', `${UPLOADS}?digest=${digest}`, bytes.length);
        await new Promise(resolve => socket.write(bytes.subarray(0, MIB + 200_000), resolve));
        return socket;
      }),
    );
    const other = aBlob(3 * MIB);
    await push(other);
    expect((await gateway.ask('GET', pathOf(other.digest))).bytes.equals(other.bytes)).toBe(true);
    const answers = sockets.map((socket, at) => {
      const answered = new Promise<string>(resolve => socket.once('data', data => resolve(data.toString())));
      socket.write(begun[at]?.bytes.subarray(MIB + 200_000) ?? '');
      return answered;
    });
    for (const answer of await Promise.all(answers)) expect(answer).toContain('HTTP/1.1 201');
    for (const socket of sockets) socket.destroy();
    for (const { digest, bytes } of begun) expect((await gateway.ask('GET', pathOf(digest))).bytes.equals(bytes)).toBe(true);
    const ends = sleepers.map(socket => new SlowDownload(socket, stored.bytes.length).ended.promise);
    for (const socket of sleepers) socket.resume();
    const received = await Promise.all(ends);
    expect(received.filter(bytes => bytes < stored.bytes.length).length).toBeGreaterThanOrEqual(1);
    await nothingHeld();
  });

  it('come in their order to a client that asks before it is answered, and hold nothing when it goes', async () => {
    const blobs = Array.from({ length: 6 }, (_, at) => aBlob(MIB + at * 99_999));
    for (const blob of blobs) await push(blob);
    const asked = blobs.map(({ digest }) => `GET ${pathOf(digest)} HTTP/1.1\r\nhost: spec\r\n\r\n`).join('');
    const expected = Buffer.concat(blobs.map(({ bytes }) => bytes));
    const socket = await gateway.raw('HEAD', pathOf(blobs[0]?.digest ?? ''), 0);
    const received: Buffer[] = [];
    socket.on('data', piece => received.push(piece)).write(asked);
    const bodies = () => {
      const all = Buffer.concat(received);
      return blobs.map(({ bytes }) => all.indexOf(bytes)).filter(at => at >= 0);
    };
    await eventually(() => expect(Buffer.concat(received).length).toBeGreaterThan(expected.length));
    await eventually(() => expect(bodies()).toHaveLength(blobs.length));
    expect(bodies()).toEqual(bodies().toSorted((a, b) => a - b));
    socket.destroy();

    const leaving = await gateway.raw('GET', pathOf(blobs[0]?.digest ?? ''), 0);
    leaving.write(asked);
    await new Promise(resolve => leaving.once('data', resolve));
    leaving.destroy();
    await nothingHeld();
  });
});
