import { setTimeout as delay } from 'node:timers/promises';
import { ENV_PREFIX, PROCESSES, type ProcessName } from '@packs/contracts';
import { MEDIA_TYPES } from '@packs/domain';
import { requestAccessToken } from '../authority/request-access-token';
import { RegistryApi } from '../stack/registry-api';
import { startStack, type PartName, type Stack } from '../stack/stack';
import type { HttpClient } from './http-client';
import type { Roots } from './processes';
import type { SignedPack } from './signed-packs';

const KEY_NAME = 'bench';
const READY_WITHIN_MS = 30_000;
const LOOK_MS = 100;
/** What would point the stack at parts that are not its own: those are not measured. */
const POINTERS = ['DATABASE_ADMIN_URL', 'NATS_URL', 'AUTHORITY_ISSUER', 'AUTHORITY_AUDIENCE', 'BLOB_STORE'];
const OWN_POINTERS = ['PORT', 'DATABASE_URL', 'NATS_PASSWORD'];

/** The whole system on data of its own, with one key trusted and a policy that asks for it. */
export class RegistryUnderTest {
  private constructor(
    readonly stack: Stack,
    private readonly token: string,
  ) {}

  static async start(dataDir: string, publicKey: string, signal: AbortSignal, gateways = 1): Promise<RegistryUnderTest> {
    const pointers = [...POINTERS, ...PROCESSES.flatMap(name => OWN_POINTERS.map(setting => `${ENV_PREFIX[name]}_${setting}`))];
    const env = Object.fromEntries(pointers.map(name => [name, undefined]));
    const stack = await startStack({ dataDir, ports: 'auto', fresh: true, env, gateways, signal });
    try {
      const admin = await RegistryApi.login(stack, 'acme-admin');
      await admin.trust([{ name: KEY_NAME, publicKey }]);
      await admin.putPolicy('default', { rule: { keyRef: KEY_NAME }, unsigned: 'reject' });
      const token = await requestAccessToken(stack.authorityUrl, 'acme-publisher', stack.secretOf('acme-publisher'));
      return new RegistryUnderTest(stack, token);
    } catch (error) {
      await stack.destroy();
      throw error;
    }
  }

  /** The processes of the product first, then the servers they stand on. */
  get roots(): Roots {
    const product = PROCESSES.flatMap<PartName>(name => (name === 'api-gateway' ? this.stack.gateways : name));
    const named = [...product.map(name => [name, name] as const), ['PostgreSQL', 'postgres'] as const, ['NATS', 'nats-server'] as const];
    return Object.fromEntries(named.map(([shown, part]) => [shown, this.stack.process(part).pid ?? 0]));
  }

  /** Waits until every process says that it is ready, as after a restart of what it stands on. */
  async untilReady(signal: AbortSignal): Promise<void> {
    const deadline = performance.now() + READY_WITHIN_MS;
    for (const name of PROCESSES) {
      while (!(await this.isReady(name))) {
        if (performance.now() > deadline) throw new Error(`${name} is not ready`);
        await delay(LOOK_MS, undefined, { signal });
      }
    }
  }

  private async isReady(name: ProcessName): Promise<boolean> {
    const answer = await fetch(`http://127.0.0.1:${this.stack.ports[name]}/readyz`).catch(() => undefined);
    await answer?.body?.cancel();
    return answer?.ok ?? false;
  }

  /** One signed publish, answered when it is verified, stored and committed. */
  async publish(client: HttpClient, { packId, digest, bundle, signature }: SignedPack): Promise<void> {
    await client.call(
      {
        method: 'POST',
        url: `${this.stack.gatewayUrl}/api/packs/${packId}/versions?digest=${digest}`,
        headers: {
          authorization: `Bearer ${this.token}`,
          'content-type': MEDIA_TYPES.packBundle,
          'stella-signature': signature.toString('base64'),
        },
        body: bundle,
      },
      201,
    );
  }
}
