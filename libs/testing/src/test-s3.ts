import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { eventually } from './eventually';
import { freePort } from './free-port';
import { peer } from './peers';

const BUCKET = 'packs';
const START_WITHIN_MS = 10_000;

/** An S3 server of one's own over a folder, with one bucket: versitygw. */
export class TestS3 {
  static readonly peer = peer('versitygw');

  readonly credentials = { accessKey: 'of-a-spec', secretKey: 'secret-of-a-spec' };
  private child: ChildProcess | undefined;

  private constructor(
    private readonly folder: string,
    readonly port: number,
  ) {}

  static async start(): Promise<TestS3> {
    const folder = mkdtempSync(join(tmpdir(), 'packs-s3-'));
    mkdirSync(join(folder, BUCKET));
    const server = new TestS3(folder, await freePort());
    await server.start();
    return server;
  }

  /** Where a store lies, as configuration names it. */
  addressOf(store: string, port = this.port): string {
    return `s3+http://127.0.0.1:${port}/${BUCKET}/${store}`;
  }

  /** The file of an object. */
  fileOf(key: string): string {
    return join(this.folder, BUCKET, key);
  }

  /** Names of the objects below a key. */
  list(key: string): readonly string[] {
    const folder = this.fileOf(key);
    return existsSync(folder) ? readdirSync(folder) : [];
  }

  /** Multipart uploads that were neither completed nor aborted. */
  unfinished(): readonly string[] {
    const folder = this.fileOf('.sgwtmp/multipart');
    return existsSync(folder) ? readdirSync(folder).flatMap(object => readdirSync(join(folder, object))) : [];
  }

  /** Takes away what unfinished multipart uploads have sent. */
  loseUnfinished(): void {
    rmSync(this.fileOf('.sgwtmp/multipart'), { recursive: true, force: true });
  }

  /** Starts it again, on the same port and over the same objects. */
  async start(): Promise<void> {
    const { accessKey, secretKey } = this.credentials;
    const args = ['--access', accessKey, '--secret', secretKey, '--port', `127.0.0.1:${this.port}`, '--keep-alive', '--quiet'];
    const child = spawn(TestS3.peer.path, [...args, 'posix', this.folder], { env: {}, stdio: ['ignore', 'ignore', 'pipe'] });
    this.child = child;
    let said = '';
    child.stderr.setEncoding('utf8').on('data', text => (said += String(text)));
    const endWithUs = (): void => void child.kill('SIGKILL');
    process.once('exit', endWithUs);
    child.once('exit', () => process.removeListener('exit', endWithUs));
    await once(child, 'spawn');
    await eventually(async () => {
      if (child.exitCode !== null) throw new Error(`versitygw ended: ${said}`);
      const socket = connect(this.port, '127.0.0.1');
      await once(socket, 'connect');
      socket.destroy();
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
  }

  async stop(): Promise<void> {
    await this.kill();
    rmSync(this.folder, { recursive: true, force: true });
  }
}
