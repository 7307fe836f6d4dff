import { spawn, spawnSync, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, mkdirSync, openSync, readFileSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { EMPTY_JSON, MEDIA_TYPES, sha256, type Digest } from '@packs/domain';
import type { HttpClient } from './http-client';
import type { SignedPack } from './signed-packs';

const PROGRAM = 'docker-registry';
const REPOSITORY = 'bench/packs';
const READY_WITHIN_MS = 10_000;
const EMPTY_CONFIG = { mediaType: MEDIA_TYPES.ociEmpty, digest: sha256(EMPTY_JSON), size: EMPTY_JSON.length };
const OCTETS = { 'content-type': 'application/octet-stream' };

/** Debian's docker-registry (Distribution 2.8) on a folder of its own: no authentication, no events, no access log. */
export class DockerRegistry {
  private constructor(
    private readonly url: string,
    private readonly child: ChildProcess,
  ) {}

  /** Its version, or undefined when it is not installed. */
  static version(): string | undefined {
    const { status, stdout } = spawnSync(PROGRAM, ['--version'], { encoding: 'utf8' });
    return status === 0 ? stdout.trim().split(' ').at(-1) : undefined;
  }

  static async start(folder: string): Promise<DockerRegistry> {
    mkdirSync(folder, { recursive: true });
    const port = await freePort();
    const [config, log] = [join(folder, 'config.yml'), join(folder, 'registry.log')];
    writeFileSync(config, configuration(folder, port));
    const file = openSync(log, 'a');
    // Without the bench's settings, some of which it would take for its own.
    const child = spawn(PROGRAM, ['serve', config], { env: { PATH: process.env.PATH }, stdio: ['ignore', file, file] });
    closeSync(file);
    process.once('exit', () => child.kill('SIGKILL'));
    const registry = new DockerRegistry(`http://127.0.0.1:${port}`, child);
    try {
      await registry.untilReady(log);
    } catch (error) {
      await registry.stop();
      throw error;
    }
    return registry;
  }

  get pid(): number {
    return this.child.pid ?? 0;
  }

  async stop(): Promise<void> {
    if (this.child.exitCode !== null || this.child.signalCode !== null) return;
    const ended = once(this.child, 'exit');
    this.child.kill('SIGTERM');
    await ended;
  }

  /** The empty config every manifest names. */
  async prepare(client: HttpClient): Promise<void> {
    await this.upload(client, EMPTY_JSON, EMPTY_CONFIG.digest);
  }

  /** One unsigned push: the upload's start, the bytes in one piece, the manifest under a tag. */
  async push(client: HttpClient, { packId, version, bundle, digest }: SignedPack): Promise<void> {
    await this.upload(client, bundle, digest);
    const manifest = {
      schemaVersion: 2,
      mediaType: MEDIA_TYPES.ociManifest,
      artifactType: MEDIA_TYPES.pack,
      config: EMPTY_CONFIG,
      layers: [{ mediaType: MEDIA_TYPES.packBundle, digest, size: bundle.length }],
    };
    const body = Buffer.from(JSON.stringify(manifest));
    const url = `${this.url}/v2/${REPOSITORY}/manifests/${packId}-${version}`;
    const { headers } = await client.call({ method: 'PUT', url, headers: { 'content-type': MEDIA_TYPES.ociManifest }, body }, 201);
    if (headers['docker-content-digest'] !== sha256(body)) throw new Error(`${PROGRAM} stored another manifest than was sent`);
  }

  private async upload(client: HttpClient, bytes: Buffer, digest: Digest): Promise<void> {
    const started = await client.call({ method: 'POST', url: `${this.url}/v2/${REPOSITORY}/blobs/uploads/` }, 202);
    const url = new URL(started.headers.location ?? '', this.url);
    url.searchParams.set('digest', digest);
    await client.call({ method: 'PUT', url: url.href, headers: OCTETS, body: bytes }, 201);
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
    throw new Error(`${PROGRAM} did not come up: ${failed?.message ?? readFileSync(log, 'utf8').slice(-500)}`);
  }
}

function configuration(folder: string, port: number): string {
  return [
    'version: 0.1',
    'log: { level: error, accesslog: { disabled: true } }',
    `storage: { cache: { blobdescriptor: inmemory }, filesystem: { rootdirectory: ${JSON.stringify(join(folder, 'data'))} } }`,
    `http: { addr: "127.0.0.1:${port}" }`,
    '',
  ].join('\n');
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  server.close();
  await once(server, 'close');
  if (address === null || typeof address === 'string') throw new Error('no free port was found');
  return address.port;
}
