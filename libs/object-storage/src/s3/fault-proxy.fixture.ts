import { once } from 'node:events';
import http, { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';

/** What happens to a request: it passes; fails before it is heard; is heard, and its answer lost, cut in half, or altered. */
export type Fault = 'pass' | 'refuse' | 'stall' | 'lose' | 'cut' | 'alter' | 'deny in a body';

export interface Asked {
  /** `PUT part`, `POST complete`, `GET blob` … */
  readonly what: string;
  /** How often this very request was made before. */
  readonly times: number;
}

const IN_BODY = '<?xml version="1.0"?><Error><Code>InternalError</Code><Message>try again</Message></Error>';

/** Stands between a client and its object store, and does to each request what `plan` says. */
export class FaultProxy {
  plan: (asked: Asked) => Fault = () => 'pass';
  readonly asked: string[] = [];
  private readonly made = new Map<string, number>();
  private readonly server = createServer((request, response) => void this.serve(request, response));

  private constructor(private readonly upstream: number) {}

  static async start(upstream: number): Promise<FaultProxy> {
    const proxy = new FaultProxy(upstream);
    proxy.server.listen(0, '127.0.0.1');
    await once(proxy.server, 'listening');
    return proxy;
  }

  get port(): number {
    return (this.server.address() as AddressInfo).port;
  }

  async stop(): Promise<void> {
    this.server.closeAllConnections();
    this.server.close();
    await once(this.server, 'close');
  }

  private async serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const id = `${request.method} ${request.url} ${request.headers.range ?? ''}`;
    const times = this.made.get(id) ?? 0;
    this.made.set(id, times + 1);
    const asked = { what: `${request.method} ${kindOf(request.url ?? '')}`, times };
    this.asked.push(asked.what);
    const fault = this.plan(asked);
    const body = Buffer.concat((await request.toArray().catch(() => [])) as Buffer[]);
    if (fault === 'refuse') return void response.writeHead(503).end();
    if (fault === 'deny in a body') return void response.writeHead(200).end(IN_BODY);
    if (fault === 'stall') return;
    const answer = await this.forward(request, body).catch(() => undefined);
    if (!answer || fault === 'lose') return void response.destroy();
    response.writeHead(answer.status, answer.headers);
    if (fault === 'cut') response.write(answer.body.subarray(0, answer.body.length / 2), () => response.destroy());
    else response.end(fault === 'alter' ? altered(answer.body) : answer.body);
  }

  private async forward(
    request: IncomingMessage,
    body: Buffer,
  ): Promise<{ status: number; headers: http.IncomingHttpHeaders; body: Buffer }> {
    const { method = 'GET', url = '/', headers } = request;
    const forwarded = http.request({ host: '127.0.0.1', port: this.upstream, method, path: url, headers, agent: false });
    forwarded.end(body);
    const [answer] = (await once(forwarded, 'response')) as [IncomingMessage];
    return { status: answer.statusCode ?? 0, headers: answer.headers, body: Buffer.concat((await answer.toArray()) as Buffer[]) };
  }
}

function kindOf(url: string): string {
  if (url.includes('partNumber=')) return 'part';
  if (url.includes('?uploads')) return 'begin';
  if (url.includes('uploadId=')) return 'complete';
  return url.includes('/uploads/') ? 'tail' : url.includes('/blobs/') ? 'blob' : 'bucket';
}

function altered(body: Buffer): Buffer {
  const copy = Buffer.from(body);
  if (copy.length > 0) copy.writeUInt8(copy.readUInt8(0) ^ 1, 0);
  return copy;
}
