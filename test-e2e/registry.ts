import { mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { randomBytes } from 'node:crypto';
import type { ProcessName } from '@packs/contracts';
import { Client } from 'pg';
import { requestAccessToken } from '../tools/authority/request-access-token';
import { signAccessToken, type AccessTokenClaims } from '../tools/authority/sign-access-token';
import { startStack, type Stack } from '../tools/stack/stack';
import { Caller } from './caller';

export const AUDIENCE = 'packs-registry';
export const ALL_SCOPES = 'packs.read packs.write packs.approve packs.run packs.admin';
const TOKEN_SECONDS = 3600;

/** A tenant nobody else has: what one story does is invisible to the others. */
export function newTenant(): string {
  return `t${randomBytes(6).toString('hex')}`;
}

/** The running system: real processes, PostgreSQL, nats-server and Authority, on ports and data of their own. */
export class Registry {
  private constructor(readonly stack: Stack) {}

  static async start(env: Readonly<Record<string, string>> = {}): Promise<Registry> {
    const dataDir = mkdtempSync(join(tmpdir(), 'packs-e2e-'));
    return new Registry(await startStack({ dataDir, ports: 'auto', quiet: true, env: { LOG_LEVEL: 'info', ...env } }));
  }

  get authorityFolder(): string {
    return join(this.stack.dataDir, 'authority');
  }

  /** A token as the Authority signs it, with any claims. */
  token(claims: Partial<AccessTokenClaims> = {}): Promise<string> {
    return signAccessToken(this.authorityFolder, {
      issuer: this.stack.authorityUrl,
      audience: AUDIENCE,
      clientId: 'somebody',
      expiresInSeconds: TOKEN_SECONDS,
      ...claims,
    });
  }

  /** Somebody of a tenant, by default one who may do everything there. */
  async caller(tenant = newTenant(), scope = ALL_SCOPES): Promise<Caller> {
    return new Caller(this.stack.gatewayUrl, await this.token({ tenant, scope, clientId: `${tenant}-client` }), tenant);
  }

  /** A client of the Authority, with the token it is given by client credentials. */
  async client(clientId: string): Promise<Caller> {
    const token = await requestAccessToken(this.stack.authorityUrl, clientId, this.stack.secretOf(clientId));
    return new Caller(this.stack.gatewayUrl, token, clientId.split('-')[0] ?? '');
  }

  /** Whoever may see every row. */
  async sql<Row>(text: string, values: readonly unknown[] = []): Promise<Row[]> {
    const client = new Client({ connectionString: this.stack.databaseAdminUrl });
    await client.connect();
    try {
      return (await client.query(text, [...values])).rows as Row[];
    } finally {
      await client.end();
    }
  }

  /** Address of a process's own routes: health and metrics. */
  urlOf(process: ProcessName): string {
    return `http://127.0.0.1:${this.stack.ports[process]}`;
  }

  async stop(): Promise<void> {
    await this.stack.destroy();
  }
}
