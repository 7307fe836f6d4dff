import { randomBytes } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { ProcessName } from '@packs/contracts';
import { Pool } from 'pg';
import { clientSecretFile } from '../tools/authority/clients';
import { requestAccessToken } from '../tools/authority/request-access-token';
import { signAccessToken, type AccessTokenClaims } from '../tools/authority/sign-access-token';
import type { PartName } from '../tools/stack/stack';
import { Caller } from './caller';
import { ask } from './host-client';
import type { StackFacts } from './stack-host-protocol';

export const AUDIENCE = 'packs-registry';
export const ALL_SCOPES = 'packs.read packs.write packs.approve packs.run packs.admin';
/** Small enough for a test to exceed. */
export const MAX_BUNDLE_BYTES = 4 * 1024 * 1024;
const TOKEN_SECONDS = 3600;

// Whoever comes first waits for the whole system to start. A time-out of a project is not among jest's settings.
jest.setTimeout(60_000);

/** A tenant nobody else has: what one story does is invisible to the others. */
export function newTenant(): string {
  return `t${randomBytes(6).toString('hex')}`;
}

/** One process of the running system. */
export class Part {
  constructor(
    private readonly id: string,
    private readonly part: PartName,
  ) {}

  /** Resolves when it is ready. */
  start(): Promise<void> {
    return ask('/part', { id: this.id, part: this.part, action: 'start' });
  }

  stop(): Promise<void> {
    return ask('/part', { id: this.id, part: this.part, action: 'stop' });
  }

  kill(signal: NodeJS.Signals = 'SIGKILL'): Promise<void> {
    return ask('/part', { id: this.id, part: this.part, action: 'kill', signal });
  }

  /** Without the part while `work` runs; it is back when this resolves, whatever became of the work. */
  async without<T>(work: () => Promise<T>): Promise<T> {
    await this.kill();
    try {
      return await work();
    } finally {
      await this.start();
    }
  }

  pid(): Promise<number | null> {
    return ask('/part', { id: this.id, part: this.part, action: 'pid' });
  }

  /** Everything it has written. */
  logs(): Promise<string> {
    return ask('/part', { id: this.id, part: this.part, action: 'logs' });
  }
}

declare global {
  /** Data folders of the stacks that this spec file used: failure-logs.cjs reads the logs in there. */
  var stackFolders: Set<string> | undefined;
}

/** The running system: real processes, PostgreSQL, nats-server and Authority. */
export class Registry {
  private pool: Pool | undefined;

  private constructor(readonly facts: StackFacts) {
    (globalThis.stackFolders ??= new Set()).add(facts.dataDir);
  }

  /** The one that all stories of a jest worker share, one after another; whoever takes a part of it down brings it back. */
  static async shared(): Promise<Registry> {
    return new Registry(
      await ask('/start', { shared: process.env.JEST_WORKER_ID ?? '1', env: { GATEWAY_MAX_BUNDLE_BYTES: String(MAX_BUNDLE_BYTES) } }),
    );
  }

  /** One of its own, to be ended by `end`. */
  static async start(env: Readonly<Record<string, string>> = {}, dataDir?: string, through?: readonly string[]): Promise<Registry> {
    return new Registry(await ask('/start', { env, dataDir, through }));
  }

  end(): Promise<void> {
    return ask('/end', { id: this.facts.id });
  }

  part(name: PartName): Part {
    return new Part(this.facts.id, name);
  }

  get gatewayUrl(): string {
    return this.facts.gatewayUrl;
  }

  get authorityFolder(): string {
    return join(this.facts.dataDir, 'authority');
  }

  /** A token as the Authority signs it, with any claims. */
  token(claims: Partial<AccessTokenClaims> = {}): Promise<string> {
    return signAccessToken(this.authorityFolder, {
      issuer: this.facts.authorityUrl,
      audience: AUDIENCE,
      clientId: 'somebody',
      expiresInSeconds: TOKEN_SECONDS,
      ...claims,
    });
  }

  /** Somebody of a tenant, by default one who may do everything there. */
  async caller(tenant = newTenant(), scope = ALL_SCOPES): Promise<Caller> {
    return new Caller(this.gatewayUrl, await this.token({ tenant, scope, clientId: `${tenant}-client` }), tenant);
  }

  /** A client of the Authority, with the token it is given for its secret. */
  async client(clientId: string): Promise<Caller> {
    const token = await requestAccessToken(this.facts.authorityUrl, clientId, readFileSync(this.secretFile(clientId), 'utf8').trim());
    return new Caller(this.gatewayUrl, token, clientId.split('-')[0] ?? '');
  }

  secretFile(clientId: string): string {
    return clientSecretFile(this.authorityFolder, clientId);
  }

  /** As the administrator of the database, who sees every row. */
  async sql<Row>(text: string, values: readonly unknown[] = []): Promise<Row[]> {
    this.pool ??= openPool(this.facts.databaseAdminUrl);
    return (await this.pool.query(text, [...values])).rows as Row[];
  }

  /** Address of a process's own routes: health and metrics. */
  urlOf(process: ProcessName): string {
    return `http://127.0.0.1:${this.facts.ports[process]}`;
  }

  /** The value of one metric, 0 when it was never counted. `labels` as Prometheus writes them. */
  async metric(process: ProcessName, name: string, ...labels: readonly string[]): Promise<number> {
    const text = await (await fetch(`${this.urlOf(process)}/metrics`)).text();
    const lines = text.split('\n').filter(line => new RegExp(`^${name}[{ ]`).test(line) && labels.every(label => line.includes(label)));
    return lines.reduce((sum, line) => sum + Number(line.slice(line.lastIndexOf(' '))), 0);
  }
}

/** Connections that end with the spec file, and that may be lost with the server. */
function openPool(connectionString: string | undefined): Pool {
  return new Pool({ connectionString, max: 2, allowExitOnIdle: true }).on('error', () => undefined);
}
