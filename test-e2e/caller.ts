import type { AuditEntryView, AuditList, Problem, PublishAnswer, VersionView } from '@packs/contracts';
import type { PolicyRule } from '@packs/domain';
import { multipart, type Part } from './multipart';
import { BUNDLE_TYPE, type Bundle } from './pack-bundle';
import type { SignatureDocument, SigningKey } from './signing-key';

export interface Answer<T = Readonly<Record<string, unknown>>> {
  readonly status: number;
  readonly headers: Headers;
  readonly bytes: Buffer;
  /** The JSON of the answer; null when it has none. */
  readonly body: T;
}

export interface Request {
  readonly query?: Readonly<Record<string, string | number | boolean>>;
  readonly headers?: Readonly<Record<string, string>>;
  readonly json?: unknown;
  readonly body?: Uint8Array | string;
  readonly signal?: AbortSignal;
}

export interface Publication {
  readonly signatures?: readonly SignatureDocument[];
  readonly query?: Readonly<Record<string, string>>;
  readonly headers?: Readonly<Record<string, string>>;
  /** Default: the bundle's. */
  readonly packId?: string;
  readonly signal?: AbortSignal;
}

/** Somebody with a token at the registry's HTTP API. Answers of any status are returned, none is thrown. */
export class Caller {
  constructor(
    readonly base: string,
    readonly token: string | null,
    readonly tenant: string,
  ) {}

  withToken(token: string | null): Caller {
    return new Caller(this.base, token, this.tenant);
  }

  async send<T = Readonly<Record<string, unknown>>>(method: string, path: string, request: Request = {}): Promise<Answer<T>> {
    const response = await this.open(method, path, request);
    const bytes = Buffer.from(await response.arrayBuffer());
    const isJson = /json/.test(response.headers.get('content-type') ?? '') && bytes.length > 0;
    return { status: response.status, headers: response.headers, bytes, body: (isJson ? JSON.parse(bytes.toString()) : null) as T };
  }

  /** The answer with its body unread. */
  open(method: string, path: string, { query = {}, headers = {}, json, body, signal }: Request = {}): Promise<Response> {
    const url = new URL(path, this.base);
    for (const [name, value] of Object.entries(query)) url.searchParams.set(name, String(value));
    return fetch(url, {
      method,
      redirect: 'error',
      headers: {
        ...(this.token !== null && { authorization: `Bearer ${this.token}` }),
        ...(json !== undefined && { 'content-type': 'application/json' }),
        ...headers,
      },
      body: json === undefined ? (body as RequestInit['body']) : JSON.stringify(json),
      signal,
    });
  }

  get<T = Readonly<Record<string, unknown>>>(
    path: string,
    query: Request['query'] = {},
    headers: Request['headers'] = {},
  ): Promise<Answer<T>> {
    return this.send<T>('GET', path, { query, headers });
  }

  put<T = Readonly<Record<string, unknown>>>(path: string, json: unknown): Promise<Answer<T>> {
    return this.send<T>('PUT', path, { json });
  }

  /** Multipart, as browsers and the command line send it. */
  publish(bundle: Bundle, publication: Publication = {}): Promise<Answer<PublishAnswer & Problem>> {
    const { signatures = [], packId = bundle.packId } = publication;
    const parts: Part[] = [
      ...signatures.map(({ mediaType, content }) => ({ name: 'signature', file: 'signature', type: mediaType, content })),
      { name: 'bundle', file: 'bundle.tgz', type: BUNDLE_TYPE, content: bundle.bytes },
    ];
    return this.publishParts(packId, parts, publication);
  }

  publishParts(
    packId: string,
    parts: readonly Part[],
    { query, headers, signal }: Publication = {},
  ): Promise<Answer<PublishAnswer & Problem>> {
    const form = multipart(parts);
    return this.send('POST', `/api/packs/${packId}/versions`, {
      query,
      headers: { 'content-type': form.contentType, ...headers },
      body: form.body,
      signal,
    });
  }

  /** The bundle is the body, the signature a header. */
  publishRaw(bundle: Bundle, signature: SignatureDocument, { query, headers }: Publication = {}): Promise<Answer<PublishAnswer & Problem>> {
    return this.send('POST', `/api/packs/${bundle.packId}/versions`, {
      query,
      headers: {
        'content-type': BUNDLE_TYPE,
        'stella-signature': signature.content.toString('base64'),
        'stella-signature-type': signature.mediaType,
        ...headers,
      },
      body: bundle.bytes,
    });
  }

  version(packId: string, version: string, query: Request['query'] = {}): Promise<Answer<VersionView & Problem>> {
    return this.get(`/api/packs/${packId}/versions/${encodeURIComponent(version)}`, query);
  }

  bundle(packId: string, version: string, headers: Request['headers'] = {}): Promise<Answer<Problem>> {
    return this.get(`/api/packs/${packId}/versions/${encodeURIComponent(version)}/bundle`, {}, headers);
  }

  trust(...keys: readonly SigningKey[]): Promise<Answer<{ epoch: number; digest: string }>> {
    return this.put('/api/trust', { keys: keys.map(({ name, publicKey, scheme }) => ({ name, publicKey, scheme })) });
  }

  policy(rule: PolicyRule, settings: object = {}, name = 'default'): Promise<Answer> {
    return this.put(`/api/policies/${name}`, { rule, unsigned: 'reject', ...settings });
  }

  /** Trusts a key and asks for its signature: what a tenant needs before it can publish. */
  async accept(key: SigningKey): Promise<void> {
    for (const { status, body } of [await this.trust(key), await this.policy({ keyRef: key.name })]) {
      if (status !== 200) throw new Error(`the tenant could not be prepared: ${JSON.stringify(body)}`);
    }
  }

  /** The whole audit log, or the part of it a query asks for. */
  async audit(query: Readonly<Record<string, string>> = {}): Promise<AuditEntryView[]> {
    const entries: AuditEntryView[] = [];
    for (let after: number | null = 0; after !== null;) {
      const { status, body }: Answer<AuditList> = await this.get<AuditList>('/api/audit', { ...query, after, limit: 200 });
      if (status !== 200) throw new Error(`the audit log answered ${status}: ${JSON.stringify(body)}`);
      entries.push(...body.entries);
      after = body.next;
    }
    return entries;
  }
}
