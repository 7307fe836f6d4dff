import { createHash, randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { sha256 } from '@packs/domain';

interface Held {
  readonly mediaType: string;
  bytes: Buffer;
}

/** What one repository of a registry for specs holds. A spec may change it behind everybody's back. */
export class HeldRepository {
  readonly blobs = new Map<string, Buffer>();
  readonly manifests = new Map<string, Held>();
  readonly tags = new Map<string, string>();
}

export interface TestOciRegistryOptions {
  /** Without it, as in distribution-spec v1.0, neither are referrers listed nor does OCI-Subject tell that they are. */
  readonly referrersApi?: boolean;
  /** Whether a tag alone can be deleted. */
  readonly tagDeletes?: boolean;
  readonly chunkMinLength?: number;
  readonly absoluteLocations?: boolean;
  /** Entries of a page of tags. */
  readonly pageSize?: number;
}

/** Answers in place of the registry, or does something to the request; `undefined`: the registry goes on with it. */
type Intervention = (request: IncomingMessage, response: ServerResponse) => void | boolean | Promise<void | boolean>;

/** An OCI registry in memory, over HTTP, that does what a spec wants of it. */
export class TestOciRegistry {
  readonly repositories = new Map<string, HeldRepository>();
  /** `METHOD /path` of every request. */
  readonly requests: string[] = [];
  readonly authorizations: (string | undefined)[] = [];
  private readonly uploads = new Map<string, Buffer>();
  private readonly interventions: { readonly match: RegExp; readonly act: Intervention; times: number }[] = [];

  private constructor(
    private readonly server: Server,
    readonly options: TestOciRegistryOptions,
  ) {}

  static async start(options: TestOciRegistryOptions = {}): Promise<TestOciRegistry> {
    const server = createServer();
    const registry = new TestOciRegistry(server, options);
    server.on('request', (request, response) => {
      registry.answer(request, response).catch((error: unknown) => response.destroy(error as Error));
    });
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    return registry;
  }

  get host(): string {
    return `127.0.0.1:${(this.server.address() as AddressInfo).port}`;
  }

  /** As a client is allowed to connect to it. */
  get allowed() {
    return { host: this.host, protocol: 'http:' as const, allowsPrivate: true };
  }

  async stop(): Promise<void> {
    this.server.closeAllConnections();
    this.server.close();
    await once(this.server, 'close');
  }

  repository(name: string): HeldRepository {
    const known = this.repositories.get(name) ?? new HeldRepository();
    this.repositories.set(name, known);
    return known;
  }

  /** Steps in for the next requests that match `METHOD /path`. */
  intervene(match: RegExp, act: Intervention, times = 1): void {
    this.interventions.push({ match, act, times });
  }

  private async answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const { method = '', url = '' } = request;
    const line = `${method} ${url}`;
    this.requests.push(line);
    this.authorizations.push(request.headers.authorization);
    const found = this.interventions.find(({ match, times }) => times > 0 && match.test(line));
    if (found) {
      found.times -= 1;
      if ((await found.act(request, response)) !== true) return;
    }
    const { pathname, searchParams } = new URL(url, 'http://registry');
    if (pathname === '/v2/') return end(response, 200);
    const [, name = '', kind, rest = ''] = /^\/v2\/(.+?)\/(manifests|blobs\/uploads|blobs|tags|referrers)\/(.*)$/.exec(pathname) ?? [];
    if (kind === 'manifests') return this.manifests(request, response, name, rest);
    if (kind === 'blobs') return this.blobs(request, response, name, rest);
    if (kind === 'blobs/uploads') return this.upload(request, response, name, { id: rest, query: searchParams });
    if (kind === 'tags') return this.tagList(response, name, searchParams);
    if (kind === 'referrers' && this.options.referrersApi) return this.referrers(response, name, rest);
    return end(response, 404);
  }

  private async manifests(request: IncomingMessage, response: ServerResponse, name: string, reference: string): Promise<void> {
    const repository = this.repository(name);
    if (request.method === 'PUT') return this.putManifest(request, response, repository, reference);
    const digest = reference.includes(':') ? reference : repository.tags.get(reference);
    const held = digest === undefined ? undefined : repository.manifests.get(digest);
    if (digest === undefined || !held) return refuse(response, 404, 'MANIFEST_UNKNOWN');
    if (request.method === 'DELETE') {
      const isTag = digest !== reference;
      if (isTag && !this.options.tagDeletes) return refuse(response, 405, 'UNSUPPORTED');
      if (isTag) repository.tags.delete(reference);
      else forgetManifest(repository, digest);
      return end(response, 202);
    }
    const headers = { 'docker-content-digest': digest, 'content-type': held.mediaType, 'content-length': held.bytes.length };
    return end(response, 200, headers, request.method === 'HEAD' ? undefined : held.bytes);
  }

  private async putManifest(
    request: IncomingMessage,
    response: ServerResponse,
    repository: HeldRepository,
    reference: string,
  ): Promise<void> {
    const bytes = await bodyOf(request);
    const digest = sha256(bytes);
    const parsed = JSON.parse(bytes.toString()) as ParsedManifest;
    if ([parsed.config, ...(parsed.layers ?? [])].some(one => one && !repository.blobs.has(one.digest))) {
      return refuse(response, 400, 'MANIFEST_BLOB_UNKNOWN');
    }
    if ((parsed.manifests ?? []).some(one => !repository.manifests.has(one.digest))) return refuse(response, 400, 'MANIFEST_BLOB_UNKNOWN');
    repository.manifests.set(digest, { bytes, mediaType: request.headers['content-type'] ?? '' });
    if (!reference.includes(':')) repository.tags.set(reference, digest);
    const subject = this.options.referrersApi ? parsed.subject?.digest : undefined;
    return end(response, 201, { 'docker-content-digest': digest, ...(subject !== undefined && { 'oci-subject': subject }) });
  }

  private blobs(request: IncomingMessage, response: ServerResponse, name: string, digest: string): void {
    const { blobs } = this.repository(name);
    const bytes = blobs.get(digest);
    if (!bytes) return refuse(response, 404, 'BLOB_UNKNOWN');
    if (request.method === 'DELETE') {
      blobs.delete(digest);
      return end(response, 202);
    }
    const from = Number(/^bytes=(\d+)-$/.exec(request.headers.range ?? '')?.[1] ?? 0);
    const part = bytes.subarray(from);
    const headers = { 'content-length': part.length, 'docker-content-digest': digest };
    const range = from > 0 && { 'content-range': `bytes ${from}-${bytes.length - 1}/${bytes.length}` };
    return end(response, from > 0 ? 206 : 200, { ...headers, ...range }, request.method === 'HEAD' ? undefined : part);
  }

  private async upload(
    request: IncomingMessage,
    response: ServerResponse,
    name: string,
    { id, query }: { readonly id: string; readonly query: URLSearchParams },
  ): Promise<void> {
    if (request.method === 'POST') return this.startUpload(response, name, query);
    const so = this.uploads.get(id);
    if (!so) return refuse(response, 404, 'BLOB_UPLOAD_UNKNOWN');
    const location = this.locationOf(name, id);
    if (request.method === 'GET') return end(response, 204, { location, range: rangeOf(so) });
    if (request.method === 'DELETE') {
      this.uploads.delete(id);
      return end(response, 204);
    }
    const from = /^(\d+)-/.exec(request.headers['content-range'] ?? '')?.[1];
    if (from !== undefined && Number(from) !== so.length) return end(response, 416, { location, range: rangeOf(so) });
    const parts: Buffer[] = [so];
    try {
      for await (const part of request as AsyncIterable<Buffer>) parts.push(part);
    } finally {
      this.uploads.set(id, Buffer.concat(parts));
    }
    const bytes = Buffer.concat(parts);
    if (request.method === 'PATCH') return end(response, 202, { location, range: rangeOf(bytes) });
    return this.finishUpload(response, name, id, query.get('digest') ?? '');
  }

  private startUpload(response: ServerResponse, name: string, query: URLSearchParams): void {
    const mounted = this.repositories.get(query.get('from') ?? '')?.blobs.get(query.get('mount') ?? '');
    if (mounted) {
      this.repository(name).blobs.set(query.get('mount') ?? '', mounted);
      return end(response, 201);
    }
    const id = randomUUID();
    this.uploads.set(id, Buffer.alloc(0));
    const least = this.options.chunkMinLength;
    return end(response, 202, { location: this.locationOf(name, id), ...(least !== undefined && { 'oci-chunk-min-length': least }) });
  }

  private finishUpload(response: ServerResponse, name: string, id: string, digest: string): void {
    const bytes = this.uploads.get(id) ?? Buffer.alloc(0);
    const [algorithm = ''] = digest.split(':');
    if (`${algorithm}:${createHash(algorithm).update(bytes).digest('hex')}` !== digest) return refuse(response, 400, 'DIGEST_INVALID');
    this.uploads.delete(id);
    this.repository(name).blobs.set(digest, bytes);
    return end(response, 201, { 'docker-content-digest': digest });
  }

  private tagList(response: ServerResponse, name: string, query: URLSearchParams): void {
    const all = [...(this.repositories.get(name)?.tags.keys() ?? [])].toSorted().filter(tag => tag > (query.get('last') ?? ''));
    const page = all.slice(0, Math.min(this.options.pageSize ?? 1_000, Number(query.get('n') ?? 1_000)));
    const last = page.at(-1);
    const link = page.length < all.length && { link: `</v2/${name}/tags/list?n=${query.get('n')}&last=${last}>; rel="next"` };
    end(response, 200, { 'content-type': 'application/json', ...link }, Buffer.from(JSON.stringify({ name, tags: page })));
  }

  private referrers(response: ServerResponse, name: string, subject: string): void {
    const manifests = [...this.repository(name).manifests].flatMap(([digest, { bytes, mediaType }]) => {
      const parsed = JSON.parse(bytes.toString()) as ParsedManifest;
      if (parsed.subject?.digest !== subject) return [];
      return [{ digest, mediaType, size: bytes.length, artifactType: parsed.artifactType, annotations: parsed.annotations }];
    });
    const type = 'application/vnd.oci.image.index.v1+json';
    const index = { schemaVersion: 2, mediaType: type, manifests };
    end(response, 200, { 'content-type': type }, Buffer.from(JSON.stringify(index)));
  }

  private locationOf(name: string, id: string): string {
    const path = `/v2/${name}/blobs/uploads/${id}?state=1`;
    return this.options.absoluteLocations ? `http://${this.host}${path}` : path;
  }
}

interface ParsedManifest {
  readonly config?: { readonly digest: string };
  readonly layers?: readonly { readonly digest: string }[];
  readonly manifests?: readonly { readonly digest: string }[];
  readonly subject?: { readonly digest: string };
  readonly artifactType?: string;
  readonly annotations?: Readonly<Record<string, string>>;
}

function forgetManifest(repository: HeldRepository, digest: string): void {
  repository.manifests.delete(digest);
  for (const [tag, named] of repository.tags) if (named === digest) repository.tags.delete(tag);
}

function rangeOf(bytes: Buffer): string {
  return `0-${Math.max(0, bytes.length - 1)}`;
}

async function bodyOf(request: IncomingMessage): Promise<Buffer> {
  const parts: Buffer[] = [];
  for await (const part of request as AsyncIterable<Buffer>) parts.push(part);
  return Buffer.concat(parts);
}

function end(response: ServerResponse, status: number, headers: Record<string, string | number> = {}, body?: Buffer): void {
  response.writeHead(status, headers).end(body);
}

function refuse(response: ServerResponse, status: number, code: string): void {
  end(response, status, { 'content-type': 'application/json' }, Buffer.from(JSON.stringify({ errors: [{ code, message: 'no' }] })));
}
