import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setting } from '@packs/config';
import { natsPermissions, PROCESSES, type ProcessName } from '@packs/contracts';
import { eventually } from './eventually';

const PASSWORD = 'of-a-spec';
const START_WITHIN_MS = 10_000;

/** Who may connect to a server beside the processes: may do everything. */
const ADMIN = 'spec-admin';

/** How a process, or the spec itself, connects: what `openConnection` takes. */
export interface NatsLogin<Name extends string = ProcessName> {
  readonly process: Name;
  readonly url: string;
  readonly password: string;
}

/** A nats-server of one's own, with JetStream and one user per process with the permissions of the contracts. */
export class TestNats {
  private child: ChildProcess | undefined;
  private port = -1;

  private constructor(private readonly folder: string) {}

  static async start(): Promise<TestNats> {
    const server = new TestNats(mkdtempSync(join(tmpdir(), 'packs-nats-')));
    await server.start();
    return server;
  }

  get url(): string {
    return `nats://127.0.0.1:${this.port}`;
  }

  loginOf(process: ProcessName): NatsLogin {
    return { process, url: this.url, password: PASSWORD };
  }

  get admin(): { readonly servers: string; readonly user: string; readonly pass: string } {
    return { servers: this.url, user: ADMIN, pass: PASSWORD };
  }

  /** Starts it again, on the same port and over the same streams. */
  async start(): Promise<void> {
    const config = join(this.folder, 'nats-server.json');
    writeFileSync(config, JSON.stringify(this.configuration()));
    const path = [setting('PATH'), '/usr/local/sbin', '/usr/sbin'].join(':');
    const child = spawn('nats-server', ['--config', config], { env: { PATH: path }, stdio: ['ignore', 'ignore', 'pipe'] });
    this.child = child;
    let said = '';
    child.stderr.setEncoding('utf8').on('data', text => (said += String(text)));
    const endWithUs = (): void => void child.kill('SIGKILL');
    process.once('exit', endWithUs);
    child.once('exit', () => process.removeListener('exit', endWithUs));
    await once(child, 'spawn');
    this.port = await eventually(() => {
      if (child.exitCode !== null) throw new Error(`nats-server ended: ${said}`);
      return this.portOf(child);
    }, START_WITHIN_MS);
  }

  /** Ends it without warning. */
  async kill(): Promise<void> {
    const { child } = this;
    this.child = undefined;
    if (!child) return;
    const ended = once(child, 'exit');
    child.kill('SIGKILL');
    await ended;
    for (const name of this.portFiles()) rmSync(join(this.folder, name));
  }

  async stop(): Promise<void> {
    await this.kill();
    rmSync(this.folder, { recursive: true, force: true });
  }

  private configuration(): object {
    const users = PROCESSES.map(user => ({
      user,
      password: PASSWORD,
      permissions: { publish: allowOnly(natsPermissions[user].publish), subscribe: allowOnly(natsPermissions[user].subscribe) },
    }));
    return {
      server_name: 'spec',
      listen: `127.0.0.1:${this.port}`,
      ports_file_dir: this.folder,
      jetstream: { store_dir: join(this.folder, 'jetstream') },
      authorization: { users: [...users, { user: ADMIN, password: PASSWORD }] },
    };
  }

  /** The server writes this file when it listens. */
  private portOf(child: ChildProcess): number {
    const name = this.portFiles().find(file => file.includes(`_${child.pid}.`));
    if (!name) throw new Error('nats-server does not listen yet');
    const ports = JSON.parse(readFileSync(join(this.folder, name), 'utf8')) as { nats: string[] };
    return Number(new URL(ports.nats[0] ?? '').port);
  }

  private portFiles(): string[] {
    return readdirSync(this.folder).filter(name => name.endsWith('.ports'));
  }
}

export function testNats(): Promise<TestNats> {
  return TestNats.start();
}

/** An empty list of what is allowed would allow everything. */
function allowOnly(subjects: readonly string[]): object {
  return subjects.length === 0 ? { deny: ['>'] } : { allow: subjects };
}
