import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import type { MirrorJobView, MirrorRequest, MirrorResponse } from '@packs/contracts';
import { requestAccessToken } from '../authority/request-access-token';
import { HttpClient, type HttpCall } from './http-client';
import type { RegistryUnderTest } from './registry-under-test';

const LOOK_MS = 100;

/** Mirrors of the registry under test: OCI image layouts, each at a location nobody has used. */
export class MirrorsUnderTest {
  private readonly http = new HttpClient();
  private made = 0;

  private constructor(
    private readonly registry: RegistryUnderTest,
    private readonly token: string,
  ) {}

  static async open(registry: RegistryUnderTest): Promise<MirrorsUnderTest> {
    const { stack } = registry;
    return new MirrorsUnderTest(registry, await requestAccessToken(stack.authorityUrl, 'acme-admin', stack.secretOf('acme-admin')));
  }

  create(selection: MirrorRequest['selection']): Promise<MirrorResponse> {
    const name = `bench-${++this.made}`;
    return this.send('POST', '', { name, kind: 'oci-layout', location: name, selection }, 201);
  }

  sync({ id }: MirrorResponse): Promise<MirrorJobView> {
    return this.send('POST', `/${id}/sync`, {}, 202);
  }

  job({ mirrorId, id }: Pick<MirrorJobView, 'mirrorId' | 'id'>): Promise<MirrorJobView> {
    return this.send('GET', `/${mirrorId}/jobs/${id}`, undefined, 200);
  }

  /** Looks at a job until `done` says so. */
  async until(job: MirrorJobView, done: (job: MirrorJobView) => boolean, signal: AbortSignal): Promise<MirrorJobView> {
    for (;;) {
      const now = await this.job(job);
      if (now.state === 'failed' || now.error) throw new Error(`the sync failed: ${now.error?.code} ${now.error?.message}`);
      if (done(now)) return now;
      await delay(LOOK_MS, undefined, { signal });
    }
  }

  async remove({ id, tenant, location }: MirrorResponse): Promise<void> {
    await this.send('DELETE', `/${id}`, undefined, 204);
    await rm(join(this.registry.stack.dataDir, 'mirrors', tenant, location), { recursive: true });
  }

  close(): void {
    this.http.close();
  }

  private async send<T>(method: HttpCall['method'], path: string, body: object | undefined, accepted: number): Promise<T> {
    const answer = await this.http.call(
      {
        method,
        url: `${this.registry.stack.gatewayUrl}/api/mirrors${path}`,
        headers: { authorization: `Bearer ${this.token}`, ...(body && { 'content-type': 'application/json' }) },
        body: body && Buffer.from(JSON.stringify(body)),
      },
      accepted,
    );
    return (answer.body.length > 0 ? JSON.parse(answer.body.toString('utf8')) : undefined) as T;
  }
}
