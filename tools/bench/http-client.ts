import { Agent, request, type IncomingHttpHeaders } from 'node:http';

export interface HttpAnswer {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  readonly body: Buffer;
}

export interface HttpCall {
  readonly method: string;
  readonly url: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: Buffer;
}

/** One client with one connection that is kept open. */
export class HttpClient {
  private readonly agent = new Agent({ keepAlive: true, maxSockets: 1 });

  /** @throws Error when the status is not one of `accepted` */
  async call({ method, url, headers, body = Buffer.alloc(0) }: HttpCall, ...accepted: number[]): Promise<HttpAnswer> {
    const answer = await this.exchange(method, url, { ...headers, 'content-length': String(body.length) }, body);
    if (accepted.includes(answer.status)) return answer;
    throw new Error(`${method} ${url} answered ${answer.status}: ${answer.body.toString('utf8').slice(0, 500)}`);
  }

  close(): void {
    this.agent.destroy();
  }

  private exchange(method: string, url: string, headers: Record<string, string>, body: Buffer): Promise<HttpAnswer> {
    return new Promise((resolve, reject) => {
      const call = request(url, { method, headers, agent: this.agent }, response => {
        const parts: Buffer[] = [];
        response.on('data', (part: Buffer) => parts.push(part));
        response.once('error', reject);
        response.once('end', () => resolve({ status: response.statusCode ?? 0, headers: response.headers, body: Buffer.concat(parts) }));
      });
      call.once('error', reject);
      call.end(body);
    });
  }
}

/** As many clients as there are requests under way at once. */
export function httpClients(count: number): { readonly of: (client: number) => HttpClient; readonly close: () => void } {
  const clients = Array.from({ length: count }, () => new HttpClient());
  return {
    of: client => clients[client] ?? (clients[0] as HttpClient),
    close: () => clients.forEach(client => client.close()),
  };
}
