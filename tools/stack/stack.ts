import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { ENV_PREFIX, PROCESSES, type ProcessName } from '@packs/contracts';
import { clientSecretFile } from '../authority/clients';
import { appProcess, runThrough, type SharedParts } from './app-process';
import type { Child, ChildSpec } from './child';
import type { Environment } from './environment';
import { gatewayCount, gatewayNames, isGateway, sharingPort, type GatewayName } from './gateway-processes';
import { ensureKitKey, ensureTokenKey } from './key-files';
import { writePrivateFile } from './private-file';
import { DEFAULT_GATEWAY_PORT, describeListener } from './ports';
import { startAuthority, startDatabases, startNats, type NatsAccess } from './servers';
import { Steps } from './steps';
import { Supervisor } from './supervisor';
import { Workspace } from './workspace';

export type PartName = ProcessName | GatewayName | 'postgres' | 'nats-server' | 'authority';

export interface StackOptions {
  /** Default: DATA_DIR, else `.data` in the working directory. */
  readonly dataDir?: string;
  /** `auto`: any free port for the gateway too. */
  readonly ports?: 'default' | 'auto';
  readonly quiet?: boolean;
  /** Deletes the data of earlier runs first. */
  readonly fresh?: boolean;
  /** Starts a process that died again. */
  readonly restart?: boolean;
  /** Settings on top of those that are inherited. */
  readonly env?: Environment;
  /** Default: this process's environment. */
  readonly inherited?: Environment;
  /** Default: all of them. */
  readonly processes?: readonly ProcessName[];
  /** Gateway processes behind one port. Default: GATEWAY_PROCESSES, else one. */
  readonly gateways?: number;
  /** Runs each process of the product through this command, such as a tracer; `{name}` in it is the process. */
  readonly through?: readonly string[];
  /** Stops a start that is under way. */
  readonly signal?: AbortSignal;
}

/** One process of a running stack, to be killed and started like an operator would. */
export type PartHandle = Pick<Child, 'pid' | 'kill' | 'start' | 'stop' | 'logs'>;

export interface Stack {
  readonly dataDir: string;
  readonly gatewayUrl: string;
  readonly authorityUrl: string;
  /** False when AUTHORITY_ISSUER names another one: this stack then knows no client. */
  readonly ownAuthority: boolean;
  /** A URL: what its mirrors lie under. */
  readonly mirrorRoot: string;
  /** Signs its offline kits. */
  readonly kitKeyFile: string;
  readonly databaseAdminUrl: string | undefined;
  /** Login of each process that has one. */
  readonly databaseUrls: Readonly<Record<string, string>>;
  readonly natsUrl: string;
  readonly nats: NatsAccess;
  /** Those that share the gateway's port. */
  readonly gateways: readonly GatewayName[];
  /** Port of each process of the product. */
  readonly ports: Readonly<Record<string, number>>;
  /** Secret of a client of the local Authority. */
  secretOf(clientId: string): string;
  process(name: PartName): PartHandle;
  stop(): Promise<void>;
  /** Ends everything at once, without draining. */
  abandon(): Promise<void>;
  /** Stops, and deletes all data. */
  destroy(): Promise<void>;
}

/** Brings the whole system up and waits until every part is ready; on failure everything that was started is stopped again. */
export async function startStack(options: StackOptions = {}): Promise<Stack> {
  const environment: Environment = { ...(options.inherited ?? process.env), ...options.env };
  const steps = new Steps(options.quiet ? () => undefined : text => process.stdout.write(text));
  const supervisor = new Supervisor(text => steps.say(text));
  const workspace = await steps.run('data directory', async note => {
    const dataDir = options.dataDir ?? environment.DATA_DIR ?? '.data';
    const onCrash = (child: Child) => (options.restart ? supervisor.crashed(child) : undefined);
    const opened = await Workspace.open({ dataDir, environment, steps, fresh: options.fresh ?? false, onCrash, signal: options.signal });
    note(opened.dataDir);
    return opened;
  });
  const close = async () => {
    supervisor.stop();
    await workspace.close();
  };
  try {
    return await startParts(workspace, options, close);
  } catch (error) {
    await close();
    throw error;
  }
}

async function startParts(workspace: Workspace, options: StackOptions, close: () => Promise<void>): Promise<Stack> {
  const { environment, dataDir, steps } = workspace;
  const audience = environment.AUTHORITY_AUDIENCE ?? 'packs-registry';
  const databases = await startDatabases(workspace);
  const nats = await startNats(workspace);
  const authorityUrl = await startAuthority(workspace, audience);
  const parts: SharedParts = {
    natsUrl: nats.url,
    natsPasswords: nats.passwords,
    databaseUrls: databases.urls,
    blobStore: environment.BLOB_STORE ?? pathToFileURL(join(dataDir, 'blobs')).href,
    mirrorRoot: environment.MIRROR_ROOT ?? pathToFileURL(join(dataDir, 'mirrors')).href,
    kitKeyFile: environment.MIRROR_SIGNING_KEY_FILE ?? ensureKitKey(join(dataDir, 'keys')),
    tokenKeyFile: environment.GATEWAY_TOKEN_KEY_FILE ?? ensureTokenKey(join(dataDir, 'keys')),
    authorityIssuer: authorityUrl,
    authorityAudience: audience,
  };
  writeAuditorSettings(dataDir, databases.auditorUrl, parts.blobStore);
  const wanted = PROCESSES.filter(name => options.processes?.includes(name) ?? true);
  const ports: Record<string, number> = {};
  for (const name of wanted) ports[name] = await choosePort(workspace, name, options.ports ?? 'default');
  const gateways = gatewayNames(options.gateways ?? gatewayCount(environment));
  const specs = wanted.map(name => appProcess(name, ports[name] ?? 0, parts, environment, dataDir));
  const starts = (await withAllGateways(workspace, specs, gateways)).map(spec =>
    steps.run(spec.name, async note => {
      note(`127.0.0.1:${ports[isGateway(spec.name) ? 'api-gateway' : spec.name]}`);
      await workspace.start(runThrough(options.through, spec));
    }),
  );
  await allOrFirstFailure(starts);
  return {
    dataDir,
    gatewayUrl: `http://127.0.0.1:${ports['api-gateway']}`,
    authorityUrl,
    ownAuthority: workspace.child('authority') !== undefined,
    mirrorRoot: parts.mirrorRoot,
    kitKeyFile: parts.kitKeyFile,
    databaseAdminUrl: databases.adminUrl,
    databaseUrls: databases.urls,
    natsUrl: nats.url,
    nats,
    gateways,
    ports,
    secretOf: clientId => readFileSync(clientSecretFile(join(dataDir, 'authority'), clientId), 'utf8').trim(),
    process: name => partOf(workspace, name),
    stop: close,
    abandon: () => workspace.abandon(),
    destroy: async () => {
      await close();
      workspace.destroy();
    },
  };
}

/** What `registry policy replay` needs, for whoever may read the stack's secrets. */
function writeAuditorSettings(dataDir: string, auditorUrl: string | undefined, blobStore: string): void {
  if (auditorUrl === undefined) return;
  writePrivateFile(join(dataDir, 'auditor.env'), `AUDITOR_DATABASE_URL=${auditorUrl}\nBLOB_STORE=${blobStore}\n`);
}

/** As many gateways as are wanted, in the place of the one. */
async function withAllGateways({ ports }: Workspace, specs: readonly ChildSpec[], names: readonly GatewayName[]): Promise<ChildSpec[]> {
  if (names.length === 1) return [...specs];
  const all: ChildSpec[] = [];
  for (const spec of specs) {
    if (!isGateway(spec.name)) all.push(spec);
    else for (const name of names) all.push(sharingPort(spec, name, await ports.choose(`${name} health`)));
  }
  return all;
}

async function choosePort({ environment, ports, steps }: Workspace, name: ProcessName, mode: 'default' | 'auto'): Promise<number> {
  const setting = `${ENV_PREFIX[name]}_PORT`;
  const named = environment[setting];
  if (named) return ports.require(name, Number(named), setting);
  if (name !== 'api-gateway' || mode === 'auto') return ports.choose(name);
  const port = await ports.preferring(name, DEFAULT_GATEWAY_PORT);
  if (port !== DEFAULT_GATEWAY_PORT) {
    steps.say(`  port ${DEFAULT_GATEWAY_PORT} is in use${await describeListener(DEFAULT_GATEWAY_PORT)}; the gateway takes ${port}`);
  }
  return port;
}

/** Waits for all, so that nothing is still starting while a failure of one is being cleaned up. */
async function allOrFirstFailure(starts: readonly Promise<void>[]): Promise<void> {
  const results = await Promise.allSettled(starts);
  const failure = results.find(result => result.status === 'rejected');
  if (failure) throw failure.reason;
}

function partOf(workspace: Workspace, name: PartName): PartHandle {
  const child = workspace.child(name);
  if (!child) throw new Error(`${name} was not started by this stack.`);
  return child;
}
