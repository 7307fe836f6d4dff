import { createHash, randomBytes } from 'node:crypto';
import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { connect, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { UNSEALED, type Digest, type DigestAlgorithm } from '@packs/domain';
import { FileBlobStore } from '@packs/object-storage';
import { createLogger } from '@packs/observability';
import {
  createDataSource,
  type DataSource,
  PostgresContentCatalog,
  PostgresGenericContent,
  PostgresReadChanges,
  PostgresRepositoryReadModel,
  PostgresUploadSessions,
} from '@packs/persistence';
import type { BlobStore } from '@packs/ports';
import { FixedClock, ScriptedCommandBus, testDatabase, type TestDatabase } from '@packs/testing';
import fastify from 'fastify';
import { CurrentSeal } from '../../http/sealed-mode';
import { BundleSender } from '../../serving/send-bundle';
import { ServableVersions } from '../../serving/servable-versions';
import { OciAuthenticator, type OciCaller, type OciRequest } from '../caller';
import { ociEndpoints } from '../endpoints';
import { OciErrors } from '../errors';
import { ociPlugin } from '../plugin';
import { PutPlain } from '../put-manifest/put-plain';
import { redirectTo } from '../reading/get-blob';
import { SmallContent } from '../reading/small-content';
import { ReadBarrier } from '../reading/read-barrier';
import { ReadableContent } from '../reading/readable-content';

export interface ReplicaOptions {
  readonly sealed?: boolean;
  readonly maxBlobBytes?: number;
  readonly maxUploads?: number;
  /** In place of the folder that all replicas share. */
  readonly folder?: string;
  /** In place of a folder. */
  readonly blobs?: BlobStore;
  readonly redirectSeconds?: number;
}

/** Who a request's headers say. `x-only` names the one repository the caller's token is for. */
class HeaderAuthenticator extends OciAuthenticator {
  async authenticate({ headers }: OciRequest): Promise<OciCaller> {
    const tenant = String(headers['x-tenant'] ?? 'acme');
    const only = headers['x-only'];
    const may: OciCaller['may'] = (_, namespace, repository) => namespace === tenant && (only === undefined || only === repository);
    return { tenant, actor: 'user:alice', may, writesIn: namespace => namespace === tenant, mayListCatalog: false };
  }
}

/** What pushes go through, on a real database and a real disk. */
export class PushingSpec {
  private readonly closing: (() => Promise<unknown>)[] = [];

  private constructor(
    private readonly database: TestDatabase,
    private readonly admin: DataSource,
    readonly folder: string,
  ) {}

  static async open(): Promise<PushingSpec> {
    const database = await testDatabase();
    const admin = await createDataSource({ url: database.adminUrl, applicationName: 'spec', poolSize: 1 }).initialize();
    return new PushingSpec(database, admin, await mkdtemp(join(tmpdir(), 'packs-pushing-')));
  }

  async replica(options: ReplicaOptions = {}): Promise<Replica> {
    const url = this.database.urlOf('api-gateway');
    const dataSource = await createDataSource({ url, applicationName: 'spec' }).initialize();
    const [logger, clock, commands] = [createLogger('spec', 'fatal'), new FixedClock(new Date().toISOString()), new ScriptedCommandBus()];
    const blobs = options.blobs ?? (await FileBlobStore.open(options.folder ?? this.folder));
    const repositories = new PostgresRepositoryReadModel(dataSource);
    const sessions = new PostgresUploadSessions(dataSource);
    const barrier = new ReadBarrier(new PostgresReadChanges(url, 'spec'), logger);
    const server = fastify();
    await server.register(ociPlugin, {
      authenticator: new HeaderAuthenticator(),
      seals: new CurrentSeal({ seal: async () => UNSEALED }, clock, options.sealed ?? false),
      errors: new OciErrors({ service: 'spec', realmOf: () => 'http://spec/token' }, logger),
      endpoints: ociEndpoints({
        repositories,
        // No pack is in these repositories.
        readable: new ReadableContent(repositories, new ServableVersions({} as never, commands, clock), barrier),
        content: new SmallContent(blobs),
        sender: new BundleSender(blobs, logger),
        redirect: redirectTo(blobs, options.redirectSeconds),
        writing: {
          ...{ sessions, blobs, commands },
          plain: new PutPlain(new PostgresGenericContent(dataSource, options.sealed ?? false), blobs, clock, logger),
          catalog: new PostgresContentCatalog(dataSource),
          limits: { maxBlobBytes: options.maxBlobBytes ?? 1024 ** 3, maxUploads: options.maxUploads ?? 100 },
        },
      }),
    });
    await server.listen({ host: '127.0.0.1', port: 0 });
    this.closing.push(async () => {
      server.server.closeAllConnections();
      await server.close();
      barrier.close();
      await dataSource.destroy();
    });
    const { port } = server.server.address() as { port: number };
    return new Replica(port, commands, sessions);
  }

  /** Files of objects, and of what is not yet one. */
  async files(): Promise<{ objects: number; unfinished: number }> {
    const count = async (name: string) => {
      const entries = await readdir(join(this.folder, name), { recursive: true, withFileTypes: true });
      return entries.filter(entry => entry.isFile()).length;
    };
    return { objects: await count('objects'), unfinished: await count('tmp') };
  }

  /** Of the object that all replicas have under this key. */
  bytesOf(objectKey: string): Promise<Buffer> {
    return readFile(join(this.folder, 'objects', objectKey.slice(-1), objectKey));
  }

  /** Ends what an earlier test left open. */
  async clear(): Promise<void> {
    await this.sql('delete from gateway.uploads');
    for (const name of await readdir(join(this.folder, 'tmp'))) await rm(join(this.folder, 'tmp', name));
  }

  /** As the administrator, who sees every row. */
  sql<Row>(text: string, values: readonly unknown[] = []): Promise<Row[]> {
    return this.admin.query<Row[]>(text, [...values]);
  }

  async count(table: string): Promise<number> {
    return Number((await this.sql<{ n: string }>(`select count(*) as n from ${table}`))[0]?.n);
  }

  async close(): Promise<void> {
    for (const close of this.closing) await close();
    await this.admin.destroy();
    await this.database.drop();
    await rm(this.folder, { recursive: true, force: true });
  }
}

export interface Answer {
  readonly status: number;
  readonly headers: Headers;
  readonly bytes: Buffer;
  /** Of an error. */
  readonly code: string | undefined;
}

export class Replica {
  constructor(
    private readonly port: number,
    readonly commands: ScriptedCommandBus,
    readonly sessions: PostgresUploadSessions,
  ) {}

  async ask(
    method: string,
    path: string,
    headers: Record<string, string> = {},
    body?: Uint8Array | ReadableStream,
    redirect: 'follow' | 'manual' = 'follow',
  ): Promise<Answer> {
    const init = { method, headers, redirect, body: body ?? null, ...(body instanceof ReadableStream && { duplex: 'half' }) };
    const response = await fetch(`http://127.0.0.1:${this.port}${path}`, init as RequestInit);
    const bytes = Buffer.from(await response.arrayBuffer());
    const isError = response.status >= 400 && response.headers.get('content-type')?.startsWith('application/json');
    const errors = isError ? (JSON.parse(bytes.toString()) as { errors: { code: string }[] }).errors : [];
    return { status: response.status, headers: response.headers, bytes, code: errors[0]?.code };
  }

  /** The upload's path. */
  async begin(query = '', name = 'acme/app'): Promise<string> {
    const { status, headers } = await this.ask('POST', `/v2/${name}/blobs/uploads/${query}`);
    expect(status).toBe(202);
    return headers.get('location') ?? '';
  }

  patch(path: string, bytes: Uint8Array, first?: number): Promise<Answer> {
    return this.ask('PATCH', path, first === undefined ? {} : { 'content-range': `${first}-${first + bytes.length - 1}` }, bytes);
  }

  finish(path: string, digest: string, bytes?: Uint8Array, first?: number): Promise<Answer> {
    const range = bytes && first !== undefined ? { 'content-range': `${first}-${first + bytes.length - 1}` } : undefined;
    return this.ask('PUT', `${path}?digest=${digest}`, range, bytes);
  }

  /** A request whose body the spec sends by itself, or does not. */
  async raw(method: string, path: string, length: number): Promise<Socket> {
    const socket = connect(this.port, '127.0.0.1');
    socket.on('error', () => undefined);
    await new Promise<void>(resolve => socket.once('connect', resolve));
    socket.write(`${method} ${path} HTTP/1.1\r\nhost: spec\r\ncontent-length: ${length}\r\n\r\n`);
    return socket;
  }
}

export function aBlob(size: number, algorithm: DigestAlgorithm = 'sha256'): { bytes: Buffer; digest: Digest } {
  const bytes = randomBytes(size);
  return { bytes, digest: `${algorithm}:${createHash(algorithm).update(bytes).digest('hex')}` };
}
