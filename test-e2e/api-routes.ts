import { SCOPES, type Scope } from '@packs/domain';
import type { Answer, Caller, Request } from './caller';
import { multipart } from './multipart';
import type { Bundle } from './pack-bundle';
import type { SignatureDocument, SigningKey } from './signing-key';

interface Operation {
  readonly operationId: string;
  readonly 'x-required-scope'?: string;
  readonly parameters?: readonly { readonly name: string; readonly in: string }[];
  readonly requestBody?: unknown;
}

/** One route as the served OpenAPI document has it. */
export interface Route {
  readonly method: string;
  readonly path: string;
  readonly operationId: string;
  readonly scope: string | undefined;
  readonly queries: readonly string[];
}

/** Operations that anybody may ask for. */
export const PUBLIC_OPERATIONS: readonly string[] = ['getClientConfig'];

/** Every route of the API: a new one is in here without anybody adding it. Reads first, so that no change of the asker's shows in them. */
export async function apiRoutes(gatewayUrl: string): Promise<readonly Route[]> {
  const { paths } = (await (await fetch(`${gatewayUrl}/api/openapi.json`)).json()) as {
    paths: Readonly<Record<string, Readonly<Record<string, Operation>>>>;
  };
  const routes = Object.entries(paths).flatMap(([path, methods]) =>
    Object.entries(methods).map(([method, { operationId, parameters = [], ...rest }]): Route => {
      const queries = parameters.filter(parameter => parameter.in === 'query').map(({ name }) => name);
      return { method: method.toUpperCase(), path, operationId, scope: rest['x-required-scope'], queries };
    }),
  );
  const order = ['GET', 'PUT', 'DELETE', 'POST'];
  return routes.toSorted((a, b) => order.indexOf(a.method) - order.indexOf(b.method));
}

/** What a request aims at. */
export interface Target {
  readonly packId: string;
  readonly version: string;
  readonly deadLetter: string;
  readonly bundle: Bundle;
  readonly signature: SignatureDocument;
  readonly attestation: SignatureDocument;
  readonly key: SigningKey;
}

const PARAMETER: Readonly<Record<string, (target: Target, path: string) => string>> = {
  packId: ({ packId }) => packId,
  version: ({ version }) => version,
  id: ({ packId, deadLetter }, path) => (path.startsWith('/api/dead-letters') ? deadLetter : packId),
  jobId: ({ packId }) => packId,
  name: () => 'default',
  digest: ({ bundle }) => bundle.digest,
};

const BODY: Readonly<Record<string, (target: Target) => Pick<Request, 'json' | 'body' | 'headers'>>> = {
  putTrust: ({ key: { name, publicKey, scheme } }) => ({ json: { keys: [{ name, publicKey, scheme }] } }),
  putTrustBundle: ({ signature: { content } }) => ({
    json: {
      payload: 'e30=',
      payloadType: 'application/vnd.stellaops.trust-bundle.v1+json',
      signatures: [{ sig: content.toString('base64').slice(0, 64) }],
    },
  }),
  putPolicy: ({ key: { name } }) => ({ json: { rule: { keyRef: name } } }),
  putVisibility: () => ({ json: { shareWith: [] } }),
  putExporters: ({ key: { name, publicKey, scheme } }) => ({ json: { keys: [{ name, publicKey, scheme }] } }),
  createExport: () => ({ json: {} }),
  createImport: ({ signature }) => {
    const { body, contentType } = multipart([
      { name: 'kit', file: 'k', type: 'application/x-tar', content: 'no kit' },
      { name: 'signature', file: 's', type: signature.mediaType, content: signature.content },
    ]);
    return { body, headers: { 'content-type': contentType } };
  },
  replayDeadLetter: () => ({}),
  changeLifecycle: () => ({ json: { state: 'archived' } }),
  promoteVersion: ({ version }) => ({ json: { version, channel: 'stable' } }),
  putChannel: () => ({ json: { description: 'asked' } }),
  createMirror: () => ({ json: { name: 'asked', kind: 'directory', location: 'asked' } }),
  putMirror: () => ({ json: { name: 'asked', kind: 'directory', location: 'asked' } }),
  syncMirror: () => ({}),
  checkParity: ({ packId }) => ({ json: { mirrorId: packId } }),
  // Sealing would close the tenant to what is asked next.
  putSealed: () => ({ json: { sealed: false, reason: 'asked' } }),
  approveUnseal: () => ({}),
  startScrub: () => ({ json: {} }),
  replayEvents: () => ({ json: { consumer: 'compliance-audit' } }),
  addAttestation: ({ attestation: { mediaType, content } }) => {
    return { body: content, headers: { 'content-type': mediaType } };
  },
  publishPack: ({ bundle, signature }) => {
    const { body, contentType } = multipart([
      { name: 'bundle', file: 'b', type: 'application/gzip', content: bundle.bytes },
      { name: 'signature', file: 's', type: signature.mediaType, content: signature.content },
    ]);
    return { body, headers: { 'content-type': contentType } };
  },
  aliasPublish: ({ bundle, signature: { mediaType, content } }) => ({
    json: {
      manifest: bundle.manifest,
      content: bundle.bytes.toString('base64'),
      signatures: [{ mediaType, content: content.toString('base64') }],
    },
  }),
};

/** Sends a well-formed request of the route. A route whose request is not known here fails, so that nobody forgets it. */
export function ask(caller: Caller, { method, path, operationId }: Route, target: Target, query: Request['query'] = {}): Promise<Answer> {
  const filled = path.replace(/\{(\w+)\}/g, (_, name: string) => {
    const value = PARAMETER[name]?.(target, path);
    if (value === undefined)
      throw new Error(`${method} ${path} has a parameter ${name} that these tests do not know; add it to api-routes.ts`);
    return encodeURIComponent(value);
  });
  const body = BODY[operationId]?.(target);
  if (!body && method !== 'GET' && method !== 'DELETE')
    throw new Error(`${operationId} is not known to these tests; add its request to api-routes.ts`);
  return untilFirstBytes(caller, method, filled, { query, ...body });
}

/** Event streams do not end by themselves: what they begin with is their answer. */
async function untilFirstBytes(caller: Caller, method: string, path: string, request: Request): Promise<Answer> {
  if (!path.endsWith('/events')) return caller.send(method, path, request);
  const ended = new AbortController();
  const response = await caller.open(method, path, { ...request, signal: ended.signal });
  if (!response.headers.get('content-type')?.startsWith('text/event-stream')) {
    const bytes = Buffer.from(await response.arrayBuffer());
    return { status: response.status, headers: response.headers, bytes, body: JSON.parse(bytes.toString()) as Answer['body'] };
  }
  const first = await response.body?.getReader().read();
  ended.abort();
  return { status: response.status, headers: response.headers, bytes: Buffer.from(first?.value ?? []), body: {} };
}

export function isScope(text: string | undefined): text is Scope {
  return SCOPES.some(scope => scope === text);
}
