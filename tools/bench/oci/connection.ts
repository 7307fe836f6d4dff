import { connect, type Socket } from 'node:net';
import { ReplyReader, type Reply } from './reply-reader';

export interface Call {
  readonly method: string;
  readonly path: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: readonly Buffer[];
  /** The body of the answer is kept. */
  readonly keepsBody?: boolean;
}

const RECEIVE_BYTES = 256 * 1024;
/** Bodies up to this size leave in one write with their head. */
const JOINED_BYTES = 64 * 1024;

interface Waiting {
  readonly reader: ReplyReader;
  readonly resolve: (reply: Reply) => void;
  readonly reject: (error: Error) => void;
}

/** One connection that is kept open, with one request at a time; as little of a client as can be, so that the figures are the server's. */
export class Connection {
  private socket: Socket | undefined;
  private waiting: Waiting | undefined;

  constructor(
    private readonly url: URL,
    private readonly authorization: string | undefined,
  ) {}

  /** @throws Error when the status is none of `accepted` */
  async call(call: Call, ...accepted: readonly number[]): Promise<Reply> {
    const reply = await this.exchange(call);
    if (accepted.includes(reply.status)) return reply;
    throw new Error(`${call.method} ${call.path} answered ${reply.status} ${reply.body.toString().slice(0, 300)}`);
  }

  async exchange({ method, path, headers = {}, body = [], keepsBody = false }: Call): Promise<Reply> {
    const socket = this.socket ?? (await this.open());
    const length = body.reduce((sum, part) => sum + part.length, 0);
    const lines = [`${method} ${path} HTTP/1.1`, `Host: ${this.url.host}`];
    if (this.authorization !== undefined) lines.push(`Authorization: ${this.authorization}`);
    for (const [name, value] of Object.entries(headers)) lines.push(`${name}: ${value}`);
    if (method !== 'GET' && method !== 'HEAD') lines.push(`Content-Length: ${length}`);
    const head = Buffer.from(`${lines.join('\r\n')}\r\n\r\n`, 'latin1');
    const replied = new Promise<Reply>((resolve, reject) => {
      this.waiting = { reader: new ReplyReader(method, keepsBody), resolve, reject };
    });
    if (length <= JOINED_BYTES) socket.write(Buffer.concat([head, ...body]));
    else for (const part of [head, ...body]) socket.write(part);
    return replied;
  }

  close(): void {
    this.socket?.destroy();
    this.socket = undefined;
  }

  private open(): Promise<Socket> {
    return new Promise((resolve, reject) => {
      const buffer = Buffer.allocUnsafe(RECEIVE_BYTES);
      const socket = connect({
        host: this.url.hostname,
        port: Number(this.url.port),
        noDelay: true,
        onread: { buffer, callback: (length: number) => this.receive(buffer.subarray(0, length)) },
      });
      socket.once('connect', () => resolve((this.socket = socket)));
      socket.once('error', error => {
        this.fail(error);
        reject(error);
      });
      socket.once('close', () => {
        if (this.socket === socket) this.socket = undefined;
        this.fail(new Error('the server closed the connection'));
      });
    });
  }

  private receive(piece: Buffer): boolean {
    const reply = this.waiting?.reader.feed(piece);
    if (!reply) return true;
    const { waiting } = this;
    this.waiting = undefined;
    if (reply.headers.get('connection')?.toLowerCase() === 'close') this.close();
    waiting?.resolve(reply);
    return true;
  }

  private fail(error: Error): void {
    const { waiting } = this;
    this.waiting = undefined;
    waiting?.reject(error);
  }
}
