import http, { type ClientRequest, type IncomingMessage, type RequestOptions } from 'node:http';
import https from 'node:https';
import type { ClientOptions } from 'minio';

/** An answer that says nothing about the object: ask again. */
class StoreBusy extends Error {
  constructor(readonly status: number) {
    super(`the object store answered ${status}`);
  }
}

const BUSY = new Set([408, 425, 429, 499, 500, 502, 503, 504, 520]);

/** How many requests to one object store may be open at a time. */
const MAX_SOCKETS = 128;

/** What the S3 client sends its requests by. A request that is not over in time fails, whether it waits for the answer or for its end. */
export class BoundedTransport {
  private readonly agent: http.Agent;

  constructor(
    private readonly tls: boolean,
    private readonly deadlineMs: number,
  ) {
    const options = { keepAlive: true, maxSockets: MAX_SOCKETS };
    this.agent = tls ? new https.Agent(options) : new http.Agent(options);
  }

  forClient(): ClientOptions['transport'] {
    return { request: this.request.bind(this) as typeof http.request };
  }

  close(): void {
    this.agent.destroy();
  }

  private request(options: RequestOptions, callback: (response: IncomingMessage) => void): ClientRequest {
    const request = (this.tls ? https : http).request({ ...options, agent: this.agent }, response => {
      // Destroying the request is what frees the socket of an answer that nobody reads.
      if (BUSY.has(response.statusCode ?? 0)) request.destroy(new StoreBusy(response.statusCode ?? 0));
      else callback(response);
    });
    const expiry = setTimeout(() => request.destroy(new Error(`no whole answer within ${this.deadlineMs} ms`)), this.deadlineMs);
    return request.once('close', () => clearTimeout(expiry));
  }
}
