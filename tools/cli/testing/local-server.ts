import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';

type Handler = (request: IncomingMessage, response: ServerResponse) => void | Promise<void>;

/** An HTTP server on this machine with one handler for each `METHOD /path`. */
export class LocalServer {
  readonly requests: { readonly route: string; readonly query: URLSearchParams; readonly headers: IncomingMessage['headers'] }[] = [];
  private readonly server = createServer((request, response) => void this.handle(request, response));

  constructor(private readonly handlers: Record<string, Handler>) {}

  async start(): Promise<string> {
    await new Promise<void>(resolve => this.server.listen(0, '127.0.0.1', resolve));
    return `http://127.0.0.1:${(this.server.address() as AddressInfo).port}`;
  }

  async stop(): Promise<void> {
    this.server.closeAllConnections();
    await new Promise(resolve => this.server.close(resolve));
  }

  on(route: string, handler: Handler): void {
    this.handlers[route] = handler;
  }

  private async handle(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const { pathname, searchParams } = new URL(request.url ?? '/', 'http://localhost');
    const route = `${request.method} ${decodeURIComponent(pathname)}`;
    this.requests.push({ route, query: searchParams, headers: request.headers });
    const handler = this.handlers[route];
    if (handler) await handler(request, response);
    else problem(response, 404, 'ERR_PACK_NOT_FOUND', `nothing at ${route}`);
  }
}

export function json(response: ServerResponse, body: unknown, status = 200): void {
  response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(body));
}

export function problem(response: ServerResponse, status: number, code: string, detail: string, errors?: readonly object[]): void {
  response.writeHead(status, { 'content-type': 'application/problem+json' }).end(JSON.stringify({ status, code, detail, errors }));
}

export async function bodyOf(request: IncomingMessage): Promise<Buffer> {
  const parts: Buffer[] = [];
  for await (const part of request) parts.push(part as Buffer);
  return Buffer.concat(parts);
}
