import { createHash, type Hash } from 'node:crypto';
import { digestAlgorithm, DomainError, type Digest } from '@packs/domain';
import type { RemoteBlob } from '@packs/ports';
import type { AccessScope } from './authorizer';
import { dropAnswer, type HttpAnswer } from './guarded-http';
import type { RegistryCalls } from './registry-calls';
import { isTransientStatus, refusal, registryFault, retryAfterMs, Transient } from './registry-faults';

const REDIRECTS = [301, 302, 303, 307, 308];
const REDIRECTS_MAX = 3;

/** One download: what has arrived of it is not asked for again. */
export class BlobDownload {
  private readonly hash: Hash;
  private received = 0;

  constructor(
    private readonly calls: RegistryCalls,
    private readonly blob: RemoteBlob,
    private readonly path: string,
    private readonly scope: AccessScope,
    private readonly signal?: AbortSignal,
  ) {
    this.hash = createHash(digestAlgorithm(blob.digest));
  }

  async *bytes(): AsyncGenerator<Uint8Array> {
    const { attempts, firstPauseMs, longestPauseMs, pause } = this.calls.settings;
    for (let failures = 0; ;) {
      const before = this.received;
      try {
        yield* this.rest();
        return this.prove();
      } catch (error) {
        this.signal?.throwIfAborted();
        if (!(error instanceof Transient)) throw error;
        // Only failures in a row count: a large blob over a bad line may break off often.
        failures = this.received > before ? 1 : failures + 1;
        if (failures >= attempts) throw this.calls.unavailable(error);
        await pause(Math.min(error.retryAfterMs ?? firstPauseMs * 2 ** (failures - 1), longestPauseMs), this.signal);
      }
    }
  }

  private async *rest(): AsyncGenerator<Uint8Array> {
    if (this.received > 0 && this.received === this.blob.size) return;
    const answer = await this.open();
    let skip = answer.status === 206 ? 0 : this.received;
    try {
      for await (const part of answer.body as AsyncIterable<Buffer>) {
        const fresh = part.subarray(Math.min(skip, part.length));
        skip -= part.length - fresh.length;
        if (fresh.length === 0) continue;
        this.hash.update(fresh);
        this.received += fresh.length;
        if (this.received > this.blob.size) throw this.corrupt(`has more than the ${this.blob.size} bytes it should have`);
        yield fresh;
      }
    } catch (error) {
      throw isBroken(error) ? new Transient('a download broke off', undefined, error) : error;
    } finally {
      answer.body.destroy();
    }
  }

  private async open(): Promise<HttpAnswer> {
    const headers = this.received > 0 ? { range: `bytes=${this.received}-` } : undefined;
    const expect = [200, 206, 404, ...REDIRECTS];
    let answer = await this.calls.call({
      method: 'GET',
      path: this.path,
      scope: this.scope,
      headers,
      expect,
      once: true,
      signal: this.signal,
    });
    let url = this.calls.urlOf(this.path);
    for (let hops = 0; REDIRECTS.includes(answer.status); hops++) {
      dropAnswer(answer);
      url = this.nextUrl(answer, url, hops);
      answer = await this.calls.follow({ method: 'GET', url, headers, signal: this.signal });
    }
    return this.checked(answer);
  }

  private nextUrl({ headers }: HttpAnswer, from: URL, hops: number): URL {
    const { location } = headers;
    if (location !== undefined && hops < REDIRECTS_MAX && URL.canParse(location, from.href)) return new URL(location, from);
    throw this.calls.fault('ERR_REGISTRY_CORRUPT', 'a download is redirected to nowhere');
  }

  private checked(answer: HttpAnswer): HttpAnswer {
    const { status, headers } = answer;
    const isContinued = headers['content-range']?.startsWith(`bytes ${this.received}-`);
    if (status === 200 || (status === 206 && isContinued)) return answer;
    dropAnswer(answer);
    if (isTransientStatus(status)) throw new Transient(`a download was answered with ${status}`, retryAfterMs(headers));
    if (status === 206) throw this.calls.fault('ERR_REGISTRY_CORRUPT', 'a download goes on elsewhere than was asked for');
    if (status === 404) throw this.calls.fault('ERR_REGISTRY_CORRUPT', `it has no blob ${this.blob.digest}`);
    throw refusal(this.calls.host, 'a download', status, Buffer.alloc(0));
  }

  private prove(): void {
    if (this.received < this.blob.size) throw this.corrupt(`has ${this.received} bytes in place of ${this.blob.size}`);
    if (this.found() !== this.blob.digest) throw this.corrupt('has other bytes');
  }

  private found(): Digest {
    return `${digestAlgorithm(this.blob.digest)}:${this.hash.copy().digest('hex')}`;
  }

  private corrupt(how: string): Error {
    const details = { digest: this.blob.digest, found: this.found() };
    return registryFault('ERR_REGISTRY_CORRUPT', this.calls.host, `blob ${this.blob.digest} ${how}`, { details });
  }
}

/** The body of an answer failed, which Node tells by an error with a code. */
function isBroken(error: unknown): boolean {
  return typeof error === 'object' && error !== null && 'code' in error && !(error instanceof DomainError);
}
