import { spawn, spawnSync, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdtempSync, openSync, closeSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { homedir, tmpdir } from 'node:os';
import { join } from 'node:path';
import { setting } from '@packs/config';
import { eventually } from './eventually';
import { freePort } from './free-port';

export const OCI_PEERS = ['docker-registry', 'registry', 'zot'] as const;
/** `docker-registry` is Debian's Distribution 2.8, `registry` Distribution 3. */
export type OciPeerName = (typeof OCI_PEERS)[number];

const START_WITHIN_MS = 15_000;

/** A registry that others made, on a folder of its own, without authentication. Whatever it holds can be deleted. */
export class OciPeer {
  private child: ChildProcess | undefined;

  private constructor(
    private readonly name: OciPeerName,
    private readonly folder: string,
    private readonly port: number,
  ) {}

  /** Whether it can be started here; a run that promises its peers fails without them. */
  static isWanted(name: OciPeerName): boolean {
    return programOf(name) !== undefined || setting('REQUIRE_PEERS') === '1';
  }

  static async start(name: OciPeerName): Promise<OciPeer> {
    const peer = new OciPeer(name, mkdtempSync(join(tmpdir(), `packs-${name}-`)), await freePort());
    try {
      await peer.start();
    } catch (error) {
      await peer.end();
      throw error;
    }
    return peer;
  }

  get host(): string {
    return `127.0.0.1:${this.port}`;
  }

  /** Where it was, with what it held. */
  async start(): Promise<void> {
    const program = programOf(this.name);
    if (program === undefined) throw new Error(`${this.name} is not installed`);
    const file = join(this.folder, 'config');
    writeFileSync(file, this.name === 'zot' ? this.zotConfig() : this.distributionConfig());
    const log = join(this.folder, 'log');
    const out = openSync(log, 'a');
    const env = { PATH: setting('PATH'), HOME: this.folder, OTEL_TRACES_EXPORTER: 'none' };
    const child = spawn(program, ['serve', file], { env, stdio: ['ignore', out, out] });
    closeSync(out);
    child.on('error', () => undefined);
    // A spec that failed before it could end its peer does not keep the run from ending; then the peer ends with it.
    child.unref();
    process.once('exit', () => child.kill('SIGKILL'));
    this.child = child;
    await eventually(async () => {
      if (child.exitCode !== null) throw new Error(`${this.name} ended: ${readFileSync(log, 'utf8').slice(-1_000)}`);
      const answer = await fetch(`http://${this.host}/v2/`);
      if (!answer.ok) throw new Error(`${this.name} answers ${answer.status}`);
    }, START_WITHIN_MS);
  }

  async stop(): Promise<void> {
    const { child } = this;
    this.child = undefined;
    if (!child || child.pid === undefined || child.exitCode !== null || child.signalCode !== null) return;
    const ended = once(child, 'exit');
    child.kill('SIGTERM');
    await ended;
  }

  async end(): Promise<void> {
    await this.stop();
    rmSync(this.folder, { recursive: true, force: true });
  }

  private distributionConfig(): string {
    return [
      'version: 0.1',
      'log: { level: error, accesslog: { disabled: true } }',
      `storage: { delete: { enabled: true }, filesystem: { rootdirectory: ${JSON.stringify(join(this.folder, 'data'))} } }`,
      `http: { addr: "${this.host}" }`,
      '',
    ].join('\n');
  }

  private zotConfig(): string {
    return JSON.stringify({
      distSpecVersion: '1.1.1',
      storage: { rootDirectory: join(this.folder, 'data'), gc: false, dedupe: false },
      http: { address: '127.0.0.1', port: String(this.port) },
      log: { level: 'error' },
    });
  }
}

function programOf(name: OciPeerName): string | undefined {
  if (name === 'docker-registry') return spawnSync(name, ['--version']).status === 0 ? name : undefined;
  const program = join(setting('PEERS_DIR') ?? join(homedir(), '.cache/packs-peers'), name);
  return existsSync(program) ? program : undefined;
}
