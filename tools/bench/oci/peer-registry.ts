import { spawn, spawnSync, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, existsSync, mkdirSync, openSync, readFileSync, writeFileSync } from 'node:fs';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { freePort } from '../../testing/free-port';
import type { Side } from './load-turn';

/** A registry of others that is measured beside us: no authentication, no events, no access log. */
export interface PeerKind {
  readonly name: string;
  readonly program: string;
  readonly where: string;
  /** What it does before it answers that something is stored. */
  readonly durability: string;
  configuration(folder: string, port: number): string;
}

const READY_WITHIN_MS = 10_000;
const CACHE = process.env.PEERS_DIR ?? join(homedir(), '.cache', 'packs-peers');
const DISTRIBUTION = {
  durability: 'fsync of files, none of folders (no setting of it changes that)',
  configuration: (folder: string, port: number): string =>
    [
      'version: 0.1',
      'log: { level: error, accesslog: { disabled: true } }',
      `storage: { cache: { blobdescriptor: inmemory }, filesystem: { rootdirectory: ${JSON.stringify(join(folder, 'data'))} } }`,
      `http: { addr: "127.0.0.1:${port}" }`,
      '',
    ].join('\n'),
};

export const DOCKER_REGISTRY: PeerKind = {
  name: 'docker-registry',
  program: 'docker-registry',
  where: 'apt-get install docker-registry',
  ...DISTRIBUTION,
};

export const PEER_KINDS: readonly PeerKind[] = [
  DOCKER_REGISTRY,
  { name: 'distribution', program: join(CACHE, 'registry'), where: 'npm run peers', ...DISTRIBUTION },
  {
    name: 'zot',
    program: join(CACHE, 'zot'),

    where: 'npm run peers',
    durability: 'storage.commit: files are synced before the answer',
    configuration: (folder, port) =>
      JSON.stringify({
        distSpecVersion: '1.1.1',
        storage: { rootDirectory: join(folder, 'data'), commit: true, gc: false },
        http: { address: '127.0.0.1', port: String(port) },
        log: { level: 'error' },
      }),
  },
];

export class PeerRegistry implements Side {
  private constructor(
    readonly kind: PeerKind,
    private readonly url: string,
    private readonly child: ChildProcess,
  ) {}

  /** Whether the program is here. */
  static isInstalled({ program }: PeerKind): boolean {
    return program.includes('/') ? existsSync(program) : spawnSync(program, ['--version'], { stdio: 'ignore' }).status === 0;
  }

  static async start(kind: PeerKind, parent: string): Promise<PeerRegistry> {
    const folder = join(parent, kind.name);
    mkdirSync(folder, { recursive: true });
    const port = await freePort();
    const [config, log] = [join(folder, 'config'), join(folder, 'log')];
    writeFileSync(config, kind.configuration(folder, port));
    const file = openSync(log, 'a');
    // Without the bench's settings, some of which it would take for its own.
    const env = { PATH: process.env.PATH, OTEL_TRACES_EXPORTER: 'none' };
    const child = spawn(kind.program, ['serve', config], { env, stdio: ['ignore', file, file] });
    closeSync(file);
    process.once('exit', () => child.kill('SIGKILL'));
    const registry = new PeerRegistry(kind, `http://127.0.0.1:${port}`, child);
    try {
      await registry.untilReady(log);
    } catch (error) {
      await registry.stop();
      throw error;
    }
    return registry;
  }

  get name(): string {
    return this.kind.name;
  }

  get pid(): number {
    return this.child.pid ?? 0;
  }

  get roots() {
    return { [this.kind.name]: this.pid };
  }

  get version(): string {
    return PeerRegistry.versionOf(this.kind);
  }

  static versionOf({ program }: PeerKind): string {
    const { stdout, stderr } = spawnSync(program, ['--version'], { encoding: 'utf8' });
    return /v?\d+\.\d+\.\d+\S*/.exec(`${stdout}${stderr}`)?.[0] ?? 'unknown';
  }

  async reach() {
    return { url: this.url, authorization: undefined, prefix: '' };
  }

  async stop(): Promise<void> {
    if (this.child.exitCode !== null || this.child.signalCode !== null) return;
    const ended = once(this.child, 'exit');
    this.child.kill('SIGTERM');
    await ended;
  }

  private async untilReady(log: string): Promise<void> {
    let failed: Error | undefined;
    this.child.once('error', error => (failed = error));
    const deadline = performance.now() + READY_WITHIN_MS;
    while (performance.now() < deadline && !failed && this.child.exitCode === null) {
      const answer = await fetch(`${this.url}/v2/`).catch(() => undefined);
      await answer?.body?.cancel();
      if (answer?.ok) return;
      await delay(50);
    }
    throw new Error(`${this.name} did not come up: ${failed?.message ?? readFileSync(log, 'utf8').slice(-500)}`);
  }
}
