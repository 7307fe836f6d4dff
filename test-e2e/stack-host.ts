import { chmodSync, existsSync, mkdtempSync, readdirSync, readFileSync, realpathSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, type IncomingMessage, type Server } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { dataDirsWithin } from '../tools/stack/data-dir';
import { endProcess } from '../tools/stack/end-process';
import { removeOutsideCluster } from '../tools/stack/postgres-home';
import { identify, isRunning, type ProcessIdentity } from '../tools/stack/process-identity';
import { orphansAmong, RunRecord } from '../tools/stack/run-record';
import { startStack, type Stack } from '../tools/stack/stack';
import { HOST_SOCKET, type PartOrder, type StackFacts, type StartOrder } from './stack-host-protocol';

const PREFIX = 'packs-e2e-';
const OWNER_FILE = 'run-by.json';

/** Owns the stacks of a whole jest run, outside of the spec files: one place that ends them, whatever becomes of a spec. */
export class StackHost {
  private readonly stacks = new Map<string, Stack>();
  private readonly shared = new Map<string, Promise<StackFacts>>();
  private server: Server | undefined;
  private closing: Promise<void> | undefined;
  private count = 0;
  private starting: Promise<unknown> = Promise.resolve();
  /** Ends what is under way. */
  private readonly ending = new AbortController();

  private constructor(private readonly folder: string) {}

  static async open(): Promise<StackHost> {
    await removeAbandoned();
    const folder = mkdtempSync(join(realpathSync(tmpdir()), PREFIX));
    // User postgres has to pass through it.
    chmodSync(folder, 0o711);
    writeFileSync(join(folder, OWNER_FILE), JSON.stringify(identify(process.pid)));
    const host = new StackHost(folder);
    await host.listen(join(folder, 'host.sock'));
    for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, () => void host.close().then(() => process.exit(1)));
    return host;
  }

  close(): Promise<void> {
    return (this.closing ??= this.endEverything());
  }

  private async endEverything(): Promise<void> {
    this.server?.close();
    this.ending.abort();
    await this.starting.catch(() => undefined);
    await Promise.allSettled(this.shared.values());
    await Promise.all([...this.stacks.keys()].map(id => this.end(id)));
    removeFolder(this.folder);
  }

  private async listen(socket: string): Promise<void> {
    const server = createServer((request, response) => {
      this.answer(request).then(
        value => response.end(JSON.stringify(value ?? null)),
        (error: unknown) => response.writeHead(500).end(error instanceof Error ? error.message : String(error)),
      );
    });
    this.server = server;
    await new Promise<void>(resolve => server.listen(socket, resolve));
    chmodSync(socket, 0o600);
    process.env[HOST_SOCKET] = socket;
  }

  private async answer(request: IncomingMessage): Promise<unknown> {
    let text = '';
    for await (const chunk of request) text += String(chunk);
    const order: unknown = JSON.parse(text);
    if (request.url === '/start') return this.start(order as StartOrder);
    if (request.url === '/end') return this.end((order as { id: string }).id);
    return this.act(order as PartOrder);
  }

  private start(order: StartOrder): Promise<StackFacts> {
    const name = order.shared;
    if (name === undefined) return this.startOne(order);
    const started = this.shared.get(name) ?? this.startOne(order).catch((error: unknown) => this.startAgain(order, error));
    this.shared.set(name, started);
    return started;
  }

  /** Said aloud: a start that fails now and then is a fault of the product. */
  private startAgain(order: StartOrder, error: unknown): Promise<StackFacts> {
    console.error('a shared stack did not start; it is started once more:', error);
    return this.startOne(order);
  }

  /** One after another: started at once they would all be ready as late as the last. */
  private async startOne(order: StartOrder): Promise<StackFacts> {
    const before = this.starting;
    const started = before.catch(() => undefined).then(() => this.startNow(order));
    this.starting = started;
    return started;
  }

  private async startNow({ env, dataDir, through }: StartOrder): Promise<StackFacts> {
    this.ending.signal.throwIfAborted();
    const id = `stack-${++this.count}`;
    const { signal } = this.ending;
    const stack = await startStack({ dataDir: dataDir ?? join(this.folder, id), ports: 'auto', quiet: true, env, through, signal });
    this.stacks.set(id, stack);
    const { gatewayUrl, authorityUrl, databaseAdminUrl, databaseUrls, nats, ports } = stack;
    return { id, dataDir: stack.dataDir, gatewayUrl, authorityUrl, databaseAdminUrl, databaseUrls, nats, ports };
  }

  /** At once: nothing of it is needed any more. */
  private async end(id: string): Promise<void> {
    const stack = this.stacks.get(id);
    this.stacks.delete(id);
    await stack?.abandon();
    await stack?.destroy();
  }

  private async act({ id, part, action, signal }: PartOrder): Promise<unknown> {
    const process = this.stacks.get(id)?.process(part);
    if (!process) throw new Error(`there is no stack ${id}`);
    if (action === 'pid') return process.pid;
    if (action === 'logs') return process.logs(100_000);
    if (action === 'kill') return process.kill(signal ?? 'SIGKILL');
    return process[action]();
  }
}

/** A run that was killed leaves its stacks running. */
async function removeAbandoned(): Promise<void> {
  const root = realpathSync(tmpdir());
  for (const folder of readdirSync(root).filter(name => name.startsWith(PREFIX))) {
    const owner = join(root, folder, OWNER_FILE);
    if (!existsSync(owner) || isRunning(JSON.parse(readFileSync(owner, 'utf8')) as ProcessIdentity)) continue;
    for (const dataDir of stacksIn(join(root, folder))) {
      for (const { identity } of orphansAmong(new RunRecord(dataDir).previous())) await endProcess(identity, 'SIGKILL');
    }
    removeFolder(join(root, folder));
  }
}

function stacksIn(folder: string): string[] {
  const stacks = readdirSync(folder).filter(name => name.startsWith('stack-'));
  return stacks.map(name => join(folder, name)).flatMap(dataDir => [dataDir, ...dataDirsWithin(dataDir)]);
}

function removeFolder(folder: string): void {
  for (const dataDir of stacksIn(folder)) removeOutsideCluster(dataDir);
  rmSync(folder, { recursive: true, force: true });
}
