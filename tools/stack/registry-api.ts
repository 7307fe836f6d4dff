import { createHash } from 'node:crypto';
import { setTimeout as delay } from 'node:timers/promises';
import { requestAccessToken } from '../authority/request-access-token';
import type { Stack } from './stack';
import { StepError } from './step-error';

const TIME_OUT_MS = 20_000;
/** Jobs of the samples take moments, and so do events; a busy machine takes longer. */
const ANSWER_WITHIN_MS = 30_000;

interface AuditPage {
  readonly entries: readonly { readonly seq: number; readonly version?: string }[];
}

export interface TrustedKey {
  readonly name: string;
  readonly publicKey: string;
  readonly scheme?: string;
}

/** The registry's REST API as a client of the local Authority sees it; what is refused is a failure of the step. */
export class RegistryApi {
  private constructor(
    private readonly base: string,
    private readonly token: string,
    private readonly signal: AbortSignal | undefined,
  ) {}

  /** @param signal ends what is asked and waited for */
  static async login(stack: Stack, clientId: string, signal?: AbortSignal): Promise<RegistryApi> {
    const token = await requestAccessToken(stack.authorityUrl, clientId, stack.secretOf(clientId));
    return new RegistryApi(`${stack.gatewayUrl}/api`, token, signal);
  }

  get<T>(path: string): Promise<T> {
    return this.json<T>('GET', path);
  }

  post<T>(path: string, body: object): Promise<T> {
    return this.json<T>('POST', path, body);
  }

  /** Asks again and again until something is found in the answer. @throws StepError naming what was waited for */
  async until<T, R>(path: string, what: string, find: (answer: T) => R | undefined): Promise<R> {
    const deadline = performance.now() + ANSWER_WITHIN_MS;
    while (performance.now() < deadline) {
      const found = find(await this.get<T>(path));
      if (found !== undefined) return found;
      await delay(100, undefined, { signal: this.signal });
    }
    throw new StepError(`${what} is not there after ${ANSWER_WITHIN_MS / 1000} s.`, 'Read the logs in the data directory.');
  }

  async has(packId: string, version: string): Promise<boolean> {
    const response = await this.send('GET', `/packs/${packId}/versions/${version}`, { accept404: true });
    await response.body?.cancel();
    return response.ok;
  }

  async trustedKeys(): Promise<TrustedKey[]> {
    return (await this.json<{ keys: TrustedKey[] }>('GET', '/trust')).keys;
  }

  async trust(keys: readonly TrustedKey[]): Promise<void> {
    await this.json('PUT', '/trust', { keys: keys.map(({ name, publicKey, scheme }) => ({ name, publicKey, scheme })) });
  }

  async policyNames(): Promise<string[]> {
    return (await this.json<{ policies: { name: string }[] }>('GET', '/policies')).policies.map(({ name }) => name);
  }

  async putPolicy(name: string, policy: object): Promise<void> {
    await this.json('PUT', `/policies/${name}`, policy);
  }

  /** The digest of the bytes as they arrive, not as a header tells it. */
  async bundleDigest(packId: string, version: string): Promise<string> {
    const response = await this.send('GET', `/packs/${packId}/versions/${version}/bundle`);
    const hash = createHash('sha256');
    for await (const chunk of response.body ?? []) hash.update(chunk);
    return `sha256:${hash.digest('hex')}`;
  }

  /** The audit log's number of the version's publication. The log follows the publication within moments. */
  async awaitPublishedEvent(packId: string, version: string): Promise<number> {
    return this.until<AuditPage, number>(
      `/audit?packId=${packId}&type=pack.version.published&limit=100`,
      `the audit entry of ${packId} ${version}`,
      ({ entries }) => entries.find(entry => entry.version === version)?.seq,
    );
  }

  private async json<T>(method: string, path: string, body?: object): Promise<T> {
    return (await (await this.send(method, path, { body })).json()) as T;
  }

  private async send(method: string, path: string, options: { body?: object; accept404?: boolean } = {}): Promise<Response> {
    const timeOut = AbortSignal.timeout(TIME_OUT_MS);
    const response = await fetch(`${this.base}${path}`, {
      method,
      headers: { authorization: `Bearer ${this.token}`, ...(options.body && { 'content-type': 'application/json' }) },
      body: options.body && JSON.stringify(options.body),
      signal: this.signal ? AbortSignal.any([this.signal, timeOut]) : timeOut,
    });
    if (response.ok || (options.accept404 && response.status === 404)) return response;
    throw new StepError(
      `${method} /api${path} answered ${response.status}: ${await response.text()}`,
      'Read the logs in the data directory.',
    );
  }
}
