import { once } from 'node:events';
import { connect, type Socket } from 'node:net';

export interface NatsAddress {
  readonly url: string;
  readonly user: string;
  readonly password: string;
}

export type OnMessage = (payload: Buffer, replyTo: string | undefined) => void;

/** Just enough of the NATS client protocol to time the server: nothing of a client library is in the figure. */
export class NatsLine {
  private received: Buffer = Buffer.alloc(0);
  private readonly handlers = new Map<string, OnMessage>();
  /** What the server says of itself. */
  version = '';

  private constructor(private readonly socket: Socket) {
    socket.on('data', (data: Buffer) => this.read(data));
  }

  static async open({ url, user, password }: NatsAddress): Promise<NatsLine> {
    const { hostname, port } = new URL(url);
    const socket = connect({ host: hostname, port: Number(port), noDelay: true });
    await once(socket, 'connect');
    const line = new NatsLine(socket);
    const connected = new Promise<void>((resolve, reject) => {
      line.onPong = resolve;
      line.onError = reject;
      socket.once('error', reject);
    });
    socket.write(`CONNECT ${JSON.stringify({ verbose: false, user, pass: password, protocol: 1 })}\r\nPING\r\n`);
    await connected;
    return line;
  }

  subscribe(subject: string, onMessage: OnMessage): void {
    const id = String(this.handlers.size + 1);
    this.handlers.set(id, onMessage);
    this.socket.write(`SUB ${subject} ${id}\r\n`);
  }

  publish(subject: string, payload: Buffer, replyTo = ''): void {
    const head = `PUB ${subject} ${replyTo ? `${replyTo} ` : ''}${payload.length}\r\n`;
    this.socket.write(Buffer.concat([Buffer.from(head), payload, Buffer.from('\r\n')]));
  }

  /** Resolves when the server has read everything sent before. */
  async flush(): Promise<void> {
    await new Promise<void>(resolve => {
      this.onPong = resolve;
      this.socket.write('PING\r\n');
    });
  }

  close(): void {
    this.socket.destroy();
  }

  private onPong: () => void = () => undefined;
  private onError: (error: Error) => void = error => this.socket.destroy(error);

  private read(data: Buffer): void {
    this.received = this.received.length === 0 ? data : Buffer.concat([this.received, data]);
    for (let end = this.received.indexOf('\r\n'); end >= 0; end = this.received.indexOf('\r\n')) {
      const taken = this.take(this.received.toString('latin1', 0, end), end + 2);
      if (taken === 0) return;
      this.received = this.received.subarray(taken);
    }
  }

  /** @returns how many bytes the message at hand has, 0 while it is incomplete */
  private take(line: string, from: number): number {
    const [verb, ...rest] = line.split(' ');
    if (verb === 'MSG') {
      const [id = '', replyTo] = rest.length === 4 ? [rest[1], rest[2]] : [rest[1], undefined];
      const end = from + Number(rest.at(-1));
      if (this.received.length < end + 2) return 0;
      this.handlers.get(id)?.(this.received.subarray(from, end), replyTo);
      return end + 2;
    }
    if (verb === 'INFO') this.version = String((JSON.parse(rest.join(' ')) as { version?: string }).version);
    if (verb === 'PING') this.socket.write('PONG\r\n');
    if (verb === 'PONG') this.onPong();
    if (verb === '-ERR') this.onError(new Error(`nats-server: ${line}`));
    return from;
  }
}
