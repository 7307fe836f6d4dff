import { Client } from 'pg';
import { requestAccessToken } from '../../authority/request-access-token';
import { NATS_ADMIN } from '../../stack/workspace';
import type { Circumstances } from '../circumstances';
import { databaseSettings } from '../database-settings';
import { NatsLine } from '../nats-line';
import { peakMib, resetPeaks } from '../processes';
import { RegistryUnderTest } from '../registry-under-test';
import { SignedPacks } from '../signed-packs';
import type { Target } from './load';
import type { Side } from './load-turn';

export const OURS = 'ours';
const OWNER = 'acme';
const STRANGER = 'globex';

/** The whole system with several gateways behind one port, a policy in force, and a tenant of its own beside another. */
export class OurRegistry implements Side {
  readonly name = OURS;

  private constructor(private readonly registry: RegistryUnderTest) {}

  static async start(folder: string, gateways: number, signal: AbortSignal): Promise<OurRegistry> {
    return new OurRegistry(await RegistryUnderTest.start(folder, new SignedPacks(folder).publicKey, signal, gateways));
  }

  get roots() {
    return this.registry.roots;
  }

  get folder(): string {
    return this.registry.stack.dataDir;
  }

  get gateways(): readonly string[] {
    return this.registry.stack.gateways;
  }

  async reach(): Promise<Target> {
    const [owner, stranger] = [await this.tokenOf(OWNER), await this.tokenOf(STRANGER)];
    const url = this.registry.stack.gatewayUrl;
    return { url, authorization: `Bearer ${owner}`, foreignAuthorization: `Bearer ${stranger}`, prefix: `${OWNER}/` };
  }

  /** Resident memory of each gateway now, in MiB. */
  gatewayMemory(): number[] {
    const pids = this.gateways.map(name => this.roots[name] ?? 0);
    resetPeaks(pids);
    return pids.map(pid => peakMib([pid]));
  }

  /** What the servers beneath it say of themselves. */
  async servers(): Promise<Pick<Circumstances, 'database' | 'nats'>> {
    const { stack } = this.registry;
    const client = new Client({ connectionString: stack.databaseAdminUrl });
    await client.connect();
    const database = await databaseSettings(client);
    await client.end();
    const line = await NatsLine.open({ url: stack.natsUrl, user: NATS_ADMIN, password: stack.nats.passwords[NATS_ADMIN] ?? '' });
    const nats = line.version;
    line.close();
    return { database, nats };
  }

  destroy(): Promise<void> {
    return this.registry.stack.destroy();
  }

  private tokenOf(tenant: string): Promise<string> {
    const { stack } = this.registry;
    const client = `${tenant}-publisher`;
    return requestAccessToken(stack.authorityUrl, client, stack.secretOf(client));
  }
}
