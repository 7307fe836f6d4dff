import { readdirSync, readFileSync, readlinkSync } from 'node:fs';
import { Agent, request } from 'node:http';
import type { Answer, Request } from './caller';

const ATTEMPTS = 200;

/** One connection that is kept open, and the process of the registry that has taken it. */
export class ReplicaLine {
  private readonly agent = new Agent({ keepAlive: true, maxSockets: 1 });
  private localPort = 0;

  private constructor(
    private readonly base: URL,
    private readonly authorization: string,
  ) {}

  /** Opens connections to a port that several processes share until `pid` takes one. */
  static async to(pid: number, base: string, authorization: string): Promise<ReplicaLine> {
    for (let attempt = 0; attempt < ATTEMPTS; attempt++) {
      const line = new ReplicaLine(new URL(base), authorization);
      await line.send('GET', '/healthz');
      if (line.isHeldBy(pid)) return line;
      line.close();
    }
    throw new Error(`of ${ATTEMPTS} connections process ${pid} took none`);
  }

  /** As this machine's kernel has it, whatever the process says of itself. */
  isHeldBy(pid: number): boolean {
    const inode = serverInode(Number(this.base.port), this.localPort);
    return inode !== undefined && socketsOf(pid).has(inode);
  }

  async send<T = Readonly<Record<string, unknown>>>(
    method: string,
    path: string,
    { headers, body, json }: Pick<Request, 'headers' | 'body' | 'json'> = {},
  ): Promise<Answer<T>> {
    const content = json === undefined ? Buffer.from(body ?? '') : Buffer.from(JSON.stringify(json));
    const sent = { authorization: this.authorization, 'content-length': String(content.length), ...headers };
    return new Promise((resolve, reject) => {
      const call = request(new URL(path, this.base), { method, agent: this.agent, headers: sent }, response => {
        this.localPort = response.socket.localPort ?? 0;
        const parts: Buffer[] = [];
        response.on('data', (part: Buffer) => parts.push(part)).once('error', reject);
        response.once('end', () => resolve(answerOf(response.statusCode ?? 0, response.headersDistinct, Buffer.concat(parts))));
      });
      call.once('error', reject);
      call.end(content);
    });
  }

  close(): void {
    this.agent.destroy();
  }
}

function answerOf<T>(status: number, distinct: NodeJS.Dict<string[]>, bytes: Buffer): Answer<T> {
  const headers = new Headers(
    Object.entries(distinct).flatMap(([name, values]) => (values ?? []).map(value => [name, value] as [string, string])),
  );
  const isJson = /json/.test(headers.get('content-type') ?? '') && bytes.length > 0;
  return { status, headers, bytes, body: (isJson ? JSON.parse(bytes.toString()) : null) as T };
}

/** The server's end of a connection on the loopback interface, from proc_net_tcp. */
function serverInode(serverPort: number, clientPort: number): string | undefined {
  const rows = readFileSync('/proc/net/tcp', 'utf8')
    .split('\n')
    .map(line => line.trim().split(/\s+/));
  return rows.find(fields => portIn(fields[1]) === serverPort && portIn(fields[2]) === clientPort)?.[9];
}

function portIn(address: string | undefined): number {
  return Number.parseInt(address?.split(':')[1] ?? '', 16);
}

function socketsOf(pid: number): ReadonlySet<string> {
  const folder = `/proc/${pid}/fd`;
  return new Set(readdirSync(folder).flatMap(name => /^socket:\[(\d+)\]$/.exec(linkAt(`${folder}/${name}`))?.[1] ?? []));
}

/** A descriptor may be closed while the others are read. */
function linkAt(path: string): string {
  try {
    return readlinkSync(path);
  } catch {
    return '';
  }
}
