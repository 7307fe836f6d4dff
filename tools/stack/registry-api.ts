import { createHash } from 'node:crypto';
import { setTimeout as delay } from 'node:timers/promises';
import { requestAccessToken } from '../authority/request-access-token';
import type { Stack } from './stack';
import { StepError } from './step-error';

const TIME_OUT_MS = 20_000;
const EVENT_WITHIN_MS = 15_000;

export interface TrustedKey {
  readonly name: string;
  readonly publicKey: string;
  readonly scheme?: string;
}

/** The few calls of the registry's REST API that showing the samples takes. */
export class RegistryApi {
  private constructor(
    private readonly base: string,
    private readonly token: string,
  ) {}

  static async login(stack: Stack, clientId: string): Promise<RegistryApi> {
    return new RegistryApi(`${stack.gatewayUrl}/api`, await requestAccessToken(stack.authorityUrl, clientId, stack.secretOf(clientId)));
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
    const deadline = performance.now() + EVENT_WITHIN_MS;
    while (performance.now() < deadline) {
      const { entries } = await this.json<{ entries: { seq: number; version?: string }[] }>(
        'GET',
        `/audit?packId=${packId}&type=pack.version.published&limit=100`,
      );
      const entry = entries.find(candidate => candidate.version === version);
      if (entry) return entry.seq;
      await delay(100);
    }
    throw new StepError(`the audit log does not show the publication of ${packId} ${version}.`, 'Read the log of compliance.');
  }

  private async json<T>(method: string, path: string, body?: object): Promise<T> {
    return (await (await this.send(method, path, { body })).json()) as T;
  }

  private async send(method: string, path: string, options: { body?: object; accept404?: boolean } = {}): Promise<Response> {
    const response = await fetch(`${this.base}${path}`, {
      method,
      headers: { authorization: `Bearer ${this.token}`, ...(options.body && { 'content-type': 'application/json' }) },
      body: options.body && JSON.stringify(options.body),
      signal: AbortSignal.timeout(TIME_OUT_MS),
    });
    if (response.ok || (options.accept404 && response.status === 404)) return response;
    throw new StepError(
      `${method} /api${path} answered ${response.status}: ${await response.text()}`,
      'Read the logs in the data directory.',
    );
  }
}
