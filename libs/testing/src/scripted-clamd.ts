import { createServer, type Server, type Socket } from 'node:net';
import type { AddressInfo } from 'node:net';

/** What a scripted clamd does with one stream. */
export type ClamdScript =
  | { readonly does: 'answer'; readonly text: string }
  /** Answers as soon as so many bytes have come, and closes. */
  | { readonly does: 'refuse-after'; readonly bytes: number; readonly text: string }
  | { readonly does: 'cut-after'; readonly bytes: number }
  | { readonly does: 'say-nothing' };

/** Speaks clamd's protocol as far as a registry does, keeps what it was shown, and does wrong what it is told to. */
export class ScriptedClamd {
  /** The content of each stream, in the order they ended or were cut. */
  readonly streams: Buffer[] = [];
  /** Streams that were begun. */
  begun = 0;
  version = 'ClamAV 1.4.3/27500/Mon Jun  2 08:00:00 2025';
  script: ClamdScript = { does: 'answer', text: 'stream: OK' };
  private readonly sockets = new Set<Socket>();

  private constructor(private readonly server: Server) {}

  static async start(port = 0): Promise<ScriptedClamd> {
    const server = createServer();
    const clamd = new ScriptedClamd(server);
    server.on('connection', socket => clamd.serve(socket));
    await new Promise<void>(resolve => server.listen(port, '127.0.0.1', resolve));
    return clamd;
  }

  get port(): number {
    return (this.server.address() as AddressInfo).port;
  }

  get address(): { readonly host: string; readonly port: number } {
    return { host: '127.0.0.1', port: this.port };
  }

  async stop(): Promise<void> {
    for (const socket of this.sockets) socket.destroy();
    await new Promise(resolve => this.server.close(resolve));
  }

  private serve(socket: Socket): void {
    this.sockets.add(socket);
    socket.once('close', () => this.sockets.delete(socket));
    socket.on('error', () => {});
    let held = Buffer.alloc(0);
    let content: Buffer[] | undefined;
    socket.on('data', piece => {
      held = Buffer.concat([held, piece]);
      if (!content) {
        const end = held.indexOf(0);
        if (end < 0) return;
        const command = held.toString('latin1', 0, end);
        held = held.subarray(end + 1);
        if (command !== 'zINSTREAM') return void socket.end(`${command === 'zPING' ? 'PONG' : this.version}\0`);
        content = [];
        this.begun += 1;
      }
      while (held.length >= 4) {
        const length = held.readUInt32BE(0);
        if (held.length < 4 + length) return;
        if (length === 0) return this.conclude(socket, Buffer.concat(content));
        content.push(held.subarray(4, 4 + length));
        held = held.subarray(4 + length);
        if (this.interrupts(socket, Buffer.concat(content))) return;
      }
    });
  }

  private interrupts(socket: Socket, content: Buffer): boolean {
    const { script } = this;
    if (script.does !== 'cut-after' && script.does !== 'refuse-after') return false;
    if (content.length < script.bytes) return false;
    this.streams.push(content);
    if (script.does === 'cut-after') socket.destroy();
    else socket.end(`${script.text}\0`);
    return true;
  }

  private conclude(socket: Socket, content: Buffer): void {
    this.streams.push(content);
    if (this.script.does === 'answer') socket.end(`${this.script.text}\0`);
    else if (this.script.does !== 'say-nothing') socket.destroy();
  }
}
