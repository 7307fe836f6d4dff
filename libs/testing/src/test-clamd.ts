import { spawn, type ChildProcess } from 'node:child_process';
import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setting } from '@packs/config';
import { eicar } from './archives';
import { eventually } from './eventually';

const PROGRAM = '/usr/sbin/clamd';
const START_WITHIN_MS = 30_000;

/** Whether specs with a real clamd should run: it is installed, or this run promises its peers. */
export const CLAMD = {
  isWanted: existsSync(PROGRAM) || setting('REQUIRE_PEERS') === '1',
  note: existsSync(PROGRAM) ? '' : ' (skipped: no clamd; Debian has it in clamav-daemon)',
};

/** A clamd of one's own that knows one signature: EICAR's. The public signatures are too many to fetch for a spec. */
export class TestClamd {
  private constructor(
    readonly socket: string,
    private readonly folder: string,
    private readonly child: ChildProcess,
  ) {}

  static async start(settings: readonly string[] = []): Promise<TestClamd> {
    const folder = mkdtempSync(join(tmpdir(), 'packs-clamd-'));
    const socket = join(folder, 'clamd.sock');
    writeFileSync(join(folder, 'own.ndb'), `Eicar-Test:0:*:${eicar().toString('hex')}\n`);
    const config = join(folder, 'clamd.conf');
    const lines = [`DatabaseDirectory ${folder}`, `TemporaryDirectory ${folder}`, `LocalSocket ${socket}`, 'Foreground yes', ...settings];
    writeFileSync(config, `${lines.join('\n')}\n`);
    const child = spawn(PROGRAM, ['--config-file', config], { stdio: 'ignore' });
    const endWithUs = (): void => void child.kill('SIGKILL');
    process.once('exit', endWithUs);
    child.once('exit', () => process.removeListener('exit', endWithUs));
    const clamd = new TestClamd(socket, folder, child);
    try {
      await eventually(() => clamd.answers(), START_WITHIN_MS);
    } catch (error) {
      await clamd.stop();
      throw error;
    }
    return clamd;
  }

  async stop(): Promise<void> {
    if (this.child.exitCode === null && this.child.signalCode === null) {
      const ended = new Promise(resolve => this.child.once('exit', resolve));
      this.child.kill('SIGKILL');
      await ended;
    }
    rmSync(this.folder, { recursive: true, force: true });
  }

  private answers(): Promise<void> {
    return new Promise((resolve, reject) => {
      const socket = connect({ path: this.socket }, () => socket.write('zPING\0'));
      socket.once('data', () => resolve(void socket.destroy()));
      socket.once('error', reject);
    });
  }
}
