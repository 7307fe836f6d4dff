import type { AccessScope } from './authorizer';
import { type Authorizer } from './authorizer';
import { dropAnswer, type GuardedHttp, readAnswer, type HttpAnswer, type HttpQuestion } from './guarded-http';
import { isTransientStatus, refusal, registryFault, retryAfterMs, Transient } from './registry-faults';
import type { ClientSettings } from './settings';

export interface Call extends Omit<HttpQuestion, 'url'> {
  /** Path and query at the registry. */
  readonly path: string;
  readonly scope: AccessScope;
  /** Statuses that are an answer; any other is a refusal or, where it may pass, tried again. */
  readonly expect: readonly number[];
  /** Sent once: whoever asks finds out what became of it. */
  readonly once?: boolean;
}

const REFUSAL_MAX = 64 * 1024;

/** Requests to one registry: with the credentials it wants, and again when it was busy or the connection broke. */
export class RegistryCalls {
  constructor(
    readonly host: string,
    private readonly base: URL,
    private readonly http: GuardedHttp,
    private readonly authorizer: Authorizer,
    readonly settings: ClientSettings,
  ) {}

  /** @throws DomainError ERR_REGISTRY_…; Transient when it is sent once */
  async call(call: Call): Promise<HttpAnswer> {
    if (call.once) return this.attempt(call);
    return this.retrying(call.signal, () => this.attempt(call));
  }

  /** An answer with its body, which is short. */
  async read(call: Call, maxBytes: number): Promise<HttpAnswer & { readonly bytes: Buffer }> {
    return this.retrying(call.signal, async () => {
      const answer = await this.attempt(call);
      const bytes = await readAnswer(answer, maxBytes, () =>
        this.fault('ERR_REGISTRY_CORRUPT', `${whatOf(call)} is answered with more than ${maxBytes} bytes`),
      );
      return { ...answer, bytes };
    });
  }

  /** An answer whose body nobody reads. */
  async ask(call: Call): Promise<HttpAnswer> {
    const answer = await this.call(call);
    dropAnswer(answer);
    return answer;
  }

  /** Runs work that may fail with Transient until it does not, or often enough. @throws DomainError ERR_REGISTRY_UNAVAILABLE */
  async retrying<T>(signal: AbortSignal | undefined, work: () => Promise<T>): Promise<T> {
    const { attempts, firstPauseMs, longestPauseMs, pause } = this.settings;
    for (let attempt = 1; ; attempt++) {
      try {
        return await work();
      } catch (error) {
        signal?.throwIfAborted();
        if (!(error instanceof Transient)) throw error;
        if (attempt >= attempts) throw this.unavailable(error);
        const own = firstPauseMs * 2 ** (attempt - 1);
        // Spread, so that those who were turned away together do not come back together.
        const wanted = error.retryAfterMs ?? own * (0.5 + Math.random() / 2);
        await pause(Math.min(wanted, longestPauseMs), signal);
      }
    }
  }

  unavailable(error: Transient): Error {
    return this.fault('ERR_REGISTRY_UNAVAILABLE', error.message, error);
  }

  fault(code: Parameters<typeof registryFault>[0], message: string, cause?: unknown): Error {
    return registryFault(code, this.host, message, { cause });
  }

  /**
   * Path and query of an address the registry names, which has to be its own.
   * @throws DomainError ERR_REGISTRY_NOT_ALLOWED
   */
  pathOf(address: string, relativeTo: string): string {
    const at = new URL(relativeTo, this.base).href;
    const url = URL.canParse(address, at) ? new URL(address, at) : undefined;
    // A registry behind a proxy may take itself for one without TLS; it is asked by the protocol that is allowed all the same.
    if (url?.host === this.base.host) return `${url.pathname}${url.search}`;
    throw this.fault('ERR_REGISTRY_NOT_ALLOWED', 'it names an address at another host for its own');
  }

  /** A question to wherever a redirect leads, without credentials. @throws DomainError ERR_REGISTRY_NOT_ALLOWED; Transient */
  follow(question: HttpQuestion): Promise<HttpAnswer> {
    return this.http.send(question);
  }

  urlOf(path: string): URL {
    return new URL(path, this.base);
  }

  private async attempt(call: Call): Promise<HttpAnswer> {
    const { path, scope, expect, ...question } = call;
    const url = this.urlOf(path);
    const send = (authorization: string | undefined): Promise<HttpAnswer> =>
      this.http.send({ ...question, url, headers: { ...question.headers, ...(authorization !== undefined && { authorization }) } });
    const sent = await this.authorizer.known(this.host, scope);
    let answer = await send(sent);
    if (answer.status === 401) {
      const authorization = await this.authorizer.meet(
        { host: this.host, header: answer.headers['www-authenticate'], scope, sent },
        call.signal,
      );
      if (authorization !== undefined) {
        dropAnswer(answer);
        answer = await send(authorization);
      }
    }
    if (expect.includes(answer.status)) return answer;
    if (isTransientStatus(answer.status)) {
      dropAnswer(answer);
      throw new Transient(`${whatOf(call)} was answered with ${answer.status}`, retryAfterMs(answer.headers));
    }
    const body = await readAnswer(answer, REFUSAL_MAX, () => refusal(this.host, whatOf(call), answer.status, Buffer.alloc(0)));
    throw refusal(this.host, whatOf(call), answer.status, body);
  }
}

/** Without the query: an upload's holds the registry's own secrets. */
function whatOf({ method, path }: Call): string {
  return `${method} ${path.replace(/\?.*$/, '').replace(/\/blobs\/uploads\/.+$/, '/blobs/uploads/…')}`;
}
