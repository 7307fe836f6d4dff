import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { VisibilityView } from '@packs/contracts';
import { aProof, aProofKey, eventually, hashOf, type ProofKey } from '@packs/testing';
import { decodeJwt } from 'jose';
import { runStella } from '../tools/cli/testing/run-cli';
import type { Caller } from './caller';
import { aBundle, aManifest, digestOf } from './pack-bundle';
import { newTenant, Registry } from './registry';
import { SigningKey } from './signing-key';

jest.setTimeout(120_000);

interface TokenAnswer {
  readonly token: string;
  readonly access_token: string;
  readonly token_type: string;
  readonly expires_in: number;
  readonly issued_at: string;
  readonly error?: string;
  readonly error_description?: string;
  readonly errors?: readonly { readonly code: string; readonly detail: readonly { readonly field: string }[] }[];
}

let registry: Registry;
const release = new SigningKey('release');

beforeAll(async () => {
  registry = await Registry.shared();
});

const basic = (user: string, password: string) => ({ authorization: `Basic ${Buffer.from(`${user}:${password}`).toString('base64')}` });
const secretOf = (clientId: string): string => readFileSync(registry.secretFile(clientId), 'utf8').trim();
const asClient = (clientId: string) => basic(clientId, secretOf(clientId));
const accessIn = (token: string): unknown => decodeJwt(token)['access'];

async function answerOf(response: Response): Promise<{ status: number; headers: Headers; body: TokenAnswer }> {
  return { status: response.status, headers: response.headers, body: (await response.json()) as TokenAnswer };
}

async function getToken(scopes: readonly string[], headers: Record<string, string> = {}, service = 'packs-registry') {
  const url = new URL('/token', registry.gatewayUrl);
  url.searchParams.set('service', service);
  for (const scope of scopes) url.searchParams.append('scope', scope);
  return answerOf(await fetch(url, { headers }));
}

async function postToken(form: Readonly<Record<string, string>>, headers: Record<string, string> = {}) {
  return answerOf(await fetch(new URL('/token', registry.gatewayUrl), { method: 'POST', headers, body: new URLSearchParams(form) }));
}

function at(
  path: string,
  token?: string,
  { scheme = 'Bearer', method = 'GET', proof }: { scheme?: string; method?: string; proof?: string } = {},
) {
  const headers = { ...(token !== undefined && { authorization: `${scheme} ${token}` }), ...(proof !== undefined && { dpop: proof }) };
  return fetch(new URL(path, registry.gatewayUrl), { method, headers });
}

const statusOf = async (...request: Parameters<typeof at>): Promise<number> => (await at(...request)).status;

/** The parameters of a Bearer challenge. */
function challengeOf(response: Response): Record<string, string> {
  const header = response.headers.get('www-authenticate') ?? '';
  expect(header).toMatch(/^Bearer /);
  return Object.fromEntries([...header.matchAll(/(\w+)="([^"]*)"/g)].map(([, name = '', value = '']) => [name, value]));
}

describe('an OCI client without a token', () => {
  it('is sent to the token service, and comes back with a token that opens the door', async () => {
    const refused = await at('/v2/');
    const { realm = '', service = '', ...more } = challengeOf(refused);
    expect([refused.status, service, more]).toEqual([401, 'packs-registry', {}]);
    expect(realm).toBe(`${registry.gatewayUrl}/token`);
    expect(await refused.json()).toMatchObject({ errors: [{ code: 'UNAUTHORIZED' }] });
    const { status, headers, body } = await answerOf(
      await fetch(`${realm}?service=${service}&account=acme-publisher`, { headers: asClient('acme-publisher') }),
    );
    expect([status, headers.get('cache-control')]).toEqual([200, 'no-store']);
    expect(body).toMatchObject({ access_token: body.token, token_type: 'Bearer', expires_in: 300 });
    expect(Math.abs(Date.parse(body.issued_at) - Date.now())).toBeLessThan(60_000);
    expect(accessIn(body.token)).toEqual([]);
    expect(await statusOf('/v2/', body.token)).toBe(200);
  });

  it('learns which scope it needs', async () => {
    const pull = challengeOf(await at('/v2/acme/deep/tool/manifests/1.0.0'));
    expect(pull['scope']).toBe('repository:acme/deep/tool:pull');
    const push = challengeOf(await at('/v2/acme/tool/blobs/uploads/', undefined, { method: 'POST' }));
    expect(push['scope']).toBe('repository:acme/tool:pull,push');
    const { body } = await getToken(['repository:acme/other:pull'], asClient('acme-viewer'));
    const wider = challengeOf(await at('/v2/acme/tool/manifests/1.0.0', body.token));
    expect(wider).toMatchObject({ scope: 'repository:acme/tool:pull', error: 'insufficient_scope' });
  });
});

describe('the token service', () => {
  const PUSH = 'repository:acme/tool:pull,push,delete';

  it.each<[string, () => Promise<{ status: number; body: TokenAnswer }>]>([
    ['a client and its secret', () => getToken([PUSH], asClient('acme-publisher'))],
    [
      'any name and an access token',
      async () => getToken([PUSH], basic('oauth2accesstoken', (await registry.client('acme-publisher')).token ?? '')),
    ],
    [
      'an access token as Bearer',
      async () => getToken([PUSH], { authorization: `Bearer ${(await registry.client('acme-publisher')).token}` }),
    ],
    [
      'a posted name and password',
      () =>
        postToken({
          grant_type: 'password',
          username: 'acme-publisher',
          password: secretOf('acme-publisher'),
          client_id: 'oras',
          scope: PUSH,
        }),
    ],
    [
      'a posted client and secret',
      () =>
        postToken({
          grant_type: 'client_credentials',
          client_id: 'acme-publisher',
          client_secret: secretOf('acme-publisher'),
          scope: PUSH,
        }),
    ],
  ])('takes %s', async (_, ask) => {
    const { status, body } = await ask();
    expect([status, accessIn(body.token)]).toEqual([200, [{ type: 'repository', name: 'acme/tool', actions: ['pull', 'push', 'delete'] }]]);
    expect(decodeJwt(body.token)).toMatchObject({ tenant: 'acme', actor: 'client:acme-publisher' });
  });

  it('gives what is asked for and allowed', async () => {
    const scopes = [PUSH, 'repository:globex/tool:pull,push registry:catalog:*'];
    const viewer = await getToken(scopes, asClient('acme-viewer'));
    expect(accessIn(viewer.body.token)).toEqual([
      { type: 'repository', name: 'acme/tool', actions: ['pull'] },
      { type: 'repository', name: 'globex/tool', actions: ['pull'] },
      { type: 'registry', name: 'catalog', actions: ['*'] },
    ]);
    const publisher = await getToken(scopes, asClient('acme-publisher'));
    expect(accessIn(publisher.body.token)).toMatchObject([{ actions: ['pull', 'push', 'delete'] }, { actions: ['pull'] }, {}]);
    expect((await at('/v2/globex/tool/blobs/uploads/', publisher.body.token, { method: 'POST' })).status).toBe(403);
    expect((await at('/v2/acme/tool/blobs/uploads/', viewer.body.token, { method: 'POST' })).status).toBe(401);
  });

  it('gives a token that ends with what it was asked with', async () => {
    const token = await registry.token({ tenant: 'acme', scope: 'packs.read', expiresInSeconds: 40 });
    const { body } = await getToken([], { authorization: `Bearer ${token}` });
    expect(body.expires_in).toBeGreaterThan(20);
    expect(body.expires_in).toBeLessThanOrEqual(40);
    expect(decodeJwt(body.token).exp).toBe(decodeJwt(token).exp);
  });

  it('refuses all wrong credentials with the same answer', async () => {
    const answers = await Promise.all([
      getToken([PUSH], basic('acme-publisher', 'wrong')),
      getToken([PUSH], basic('nobody', secretOf('acme-publisher'))),
      getToken([PUSH], basic('acme-publisher', await registry.token({ tenant: 'acme', scope: 'packs.read', expiresInSeconds: -60 }))),
      getToken([PUSH], { authorization: 'Bearer a.b.c' }),
      postToken({ grant_type: 'password', username: 'acme-publisher', password: 'wrong' }),
    ]);
    for (const { status, headers, body } of answers) {
      expect([status, body]).toEqual([401, answers[0]?.body]);
      expect(headers.get('www-authenticate')).toMatch(/^Basic realm="/);
    }
    expect(answers[0]?.body).toMatchObject({ error: 'invalid_client', errors: [{ code: 'UNAUTHORIZED' }] });
  });

  it('refuses a token of the Authority without tenant as forbidden', async () => {
    const token = await registry.token({ scope: 'packs.read' });
    const { status, body } = await getToken([], { authorization: `Bearer ${token}` });
    expect([status, body.error]).toEqual([403, 'unauthorized_client']);
  });

  it.each<[string, () => Promise<{ status: number; body: TokenAnswer }>, string, string]>([
    ['another service', () => getToken([], {}, 'another'), 'service', 'invalid_request'],
    ['a scope that is none', () => getToken(['everything']), 'scope', 'invalid_scope'],
    ['33 scopes', () => getToken(Array.from({ length: 33 }, (_, n) => `repository:acme/r${n}:pull`)), 'scope', 'invalid_scope'],
    ['credentials of another kind', () => getToken([], { authorization: 'Negotiate abc' }), 'Authorization', 'invalid_request'],
    ['a refresh token', () => postToken({ grant_type: 'refresh_token', refresh_token: 'x' }), 'grant_type', 'unsupported_grant_type'],
    ['no grant', () => postToken({}), 'grant_type', 'invalid_request'],
    ['a proof that is none', () => getToken([], { dpop: 'a.b.c' }), 'DPoP', 'invalid_dpop_proof'],
  ])('refuses %s and names the parameter', async (_, ask, field, error) => {
    const { status, body } = await ask();
    expect([status, body.error, body.errors?.[0]?.detail[0]?.field]).toEqual([400, error, field]);
  });

  it('refuses forms that are too large or no forms', async () => {
    expect((await postToken({ grant_type: 'password', username: 'x'.repeat(70_000) })).status).toBe(413);
    const json = await fetch(new URL('/token', registry.gatewayUrl), {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: '{}',
    });
    expect(json.status).toBe(400);
  });
});

describe('a token', () => {
  it('of the registry opens no other door, and is no credential for another', async () => {
    const { body } = await getToken(['repository:acme/tool:pull'], asClient('acme-admin'));
    for (const path of ['/api/packs', '/api/visibility', '/api/trust'])
      expect([path, await statusOf(path, body.token)]).toEqual([path, 401]);
    expect((await getToken([], { authorization: `Bearer ${body.token}` })).status).toBe(401);
    expect((await getToken([], basic('token', body.token))).status).toBe(401);
  });

  it('of the Authority opens /v2 as it is', async () => {
    expect(await statusOf('/v2/', await registry.token({ tenant: 'acme', scope: 'packs.read' }))).toBe(200);
  });

  it('that only says it is the registry’s is refused', async () => {
    const claims = { tenant: 'acme', scope: 'packs.read packs.write' };
    for (const forged of [
      { issuer: 'urn:packs-registry:token-service', audience: 'urn:packs-registry:v2' },
      { audience: 'urn:packs-registry:v2' },
      { expiresInSeconds: -60 },
    ]) {
      const refused = await at('/v2/', await registry.token({ ...claims, ...forged }));
      expect([refused.status, challengeOf(refused)['error']]).toEqual([401, 'invalid_token']);
    }
  });

  it('is had and used in a registry that is sealed', async () => {
    const owner = await registry.caller();
    expect((await owner.put('/api/sealed', { sealed: true, reason: 'away' })).status).toBe(200);
    const { status, body } = await getToken([`repository:${owner.tenant}/tool:pull,push`], { authorization: `Bearer ${owner.token}` });
    expect([status, await statusOf('/v2/', body.token)]).toEqual([200, 200]);
    expect(await statusOf(`/v2/${owner.tenant}/tool/blobs/uploads/`, body.token, { method: 'POST' })).toBe(403);
  });
});

describe('a namespace', () => {
  let owner: Caller;
  beforeAll(async () => {
    owner = await registry.caller(newTenant());
    await owner.accept(release);
    await owner.put('/api/visibility', { shareWith: ['*'] });
    await publish('open', '1.0.0', ['*']);
    await publish('open', '1.1.0-rc.1', ['*']);
    await publish('own', '1.0.0');
  });
  async function publish(packId: string, version: string, tenantVisibility?: readonly string[]): Promise<void> {
    const bundle = aBundle(aManifest(packId, version, { metadata: { ...(tenantVisibility && { tenantVisibility }) } }));
    expect((await owner.publish(bundle, { signatures: [release.sigstore(bundle.bytes)] })).status).toBe(201);
  }
  const open = (settings: object) => owner.put<VisibilityView>('/api/visibility', { shareWith: ['*'], ...settings });
  const pull = (packId: string, reference: string): string => `/v2/${owner.tenant}/${packId}/manifests/${reference}`;
  const anonymous = async (packId: string) => (await getToken([`repository:${owner.tenant}/${packId}:pull,push`])).body.token;

  it('that is not public gives nobody unknown a token of any use', async () => {
    const token = await anonymous('open');
    expect([accessIn(token), decodeJwt(token)['tenant']]).toEqual([[], null]);
    expect(await statusOf('/v2/', token)).toBe(200);
    expect(await statusOf(pull('open', '1.0.0'), token)).toBe(401);
  });

  it('that is public lets anybody pull releases that every tenant sees, and nothing else', async () => {
    expect((await open({ publicRead: true })).body).toEqual({ shareWith: ['*'], publicRead: true, pullByDigestOnly: false });
    expect((await owner.get('/api/visibility')).body).toEqual({ shareWith: ['*'], publicRead: true, pullByDigestOnly: false });
    const token = await anonymous('open');
    expect(accessIn(token)).toEqual([{ type: 'repository', name: `${owner.tenant}/open`, actions: ['pull'] }]);
    expect(await statusOf(pull('open', '1.0.0'), token)).toBe(200);
    expect(await statusOf(pull('open', '1.1.0-rc.1'), token)).toBe(401);
    expect(await statusOf(pull('own', '1.0.0'), await anonymous('own'))).toBe(401);
    expect(await statusOf(pull('open', '1.0.0'))).toBe(401);
    expect(await statusOf(`/v2/${owner.tenant}/open/blobs/uploads/`, token, { method: 'POST' })).toBe(401);
    expect((await open({ publicRead: false })).status).toBe(200);
    expect(await statusOf(pull('open', '1.0.0'), token)).toBe(401);
  });

  it('that is public lets anybody pull its generic repositories', async () => {
    const name = `${owner.tenant}/images/tool`;
    const config = Buffer.from('{}');
    const manifest = {
      schemaVersion: 2,
      mediaType: 'application/vnd.oci.image.manifest.v1+json',
      config: { mediaType: 'application/vnd.oci.image.config.v1+json', digest: digestOf(config), size: config.length },
      layers: [],
    };
    const { token } = (await getToken([`repository:${name}:pull,push`], { authorization: `Bearer ${owner.token}` })).body;
    const push = async (method: string, path: string, body: string | Uint8Array, type: string) =>
      (
        await fetch(new URL(`/v2/${name}/${path}`, registry.gatewayUrl), {
          method,
          headers: { authorization: `Bearer ${token}`, 'content-type': type },
          body,
        })
      ).status;
    expect(await push('POST', `blobs/uploads/?digest=${digestOf(config)}`, config, 'application/octet-stream')).toBe(201);
    expect(await push('PUT', 'manifests/v1', JSON.stringify(manifest), manifest.mediaType)).toBe(201);
    const anybodys = [`/v2/${name}/manifests/v1`, `/v2/${name}/blobs/${digestOf(config)}`, `/v2/${name}/tags/list`];
    const seen = async () => {
      const anybody = await anonymous('images/tool');
      return Promise.all(anybodys.map(path => statusOf(path, anybody)));
    };
    expect(await seen()).toEqual([401, 401, 401]);
    await open({ publicRead: true });
    expect(await seen()).toEqual([200, 200, 200]);
    await open({ publicRead: false });
  });

  it('that is pulled by digest alone gives those who may not push no manifest by a tag', async () => {
    const stranger = await registry.token({ tenant: newTenant(), scope: 'packs.read' });
    const digest = (await at(pull('open', '1.0.0'), stranger)).headers.get('docker-content-digest') ?? '';
    expect((await open({ pullByDigestOnly: true })).body).toMatchObject({ pullByDigestOnly: true });
    const refused = await at(pull('open', '1.0.0'), stranger);
    expect([refused.status, await refused.json()]).toMatchObject([
      403,
      { errors: [{ code: 'DENIED', message: expect.stringContaining('by digest') as string }] },
    ]);
    expect(await statusOf(pull('open', '1.0.0'), stranger, { method: 'HEAD' })).toBe(403);
    expect(await statusOf(pull('open', digest), stranger)).toBe(200);
    expect(await statusOf(`/v2/${owner.tenant}/open/tags/list`, stranger)).toBe(200);
    expect(await statusOf(pull('open', '1.0.0'), owner.token ?? '')).toBe(200);
    await open({ pullByDigestOnly: false });
  });

  it('has its changes in the audit log', async () => {
    const changes = await eventually(async () => {
      const found = (await owner.audit()).filter(entry => entry.type === 'registry.visibility.updated').map(({ data }) => data);
      expect(found).toHaveLength(7);
      return found;
    });
    expect(changes).toMatchObject([
      { shareWith: ['*'], publicRead: false, pullByDigestOnly: false },
      { publicRead: true },
      { publicRead: false },
      { publicRead: true },
      { publicRead: false },
      { pullByDigestOnly: true },
      { pullByDigestOnly: false },
    ]);
  });
});

describe('a token that is bound to a key', () => {
  let key: ProofKey;
  let token: string;
  const now = () => Math.floor(Date.now() / 1000);
  const url = (path: string): string => `${registry.gatewayUrl}${path}`;
  const proof = (changes: { htm?: string; htu?: string; iat?: number; ath?: string; jti?: string } = {}, by = key) =>
    aProof(by, { htm: 'GET', htu: url('/v2/'), iat: now(), ath: hashOf(token), ...changes });
  const enter = async (made: string | undefined, scheme = 'DPoP') => {
    const response = await at('/v2/', token, { scheme, proof: made });
    return response.status === 200 ? 200 : [response.status, challengeOf(response)['error']];
  };
  beforeAll(async () => {
    key = await aProofKey();
    const asked = await aProof(key, { htm: 'GET', htu: url('/token'), iat: now() });
    const { body } = await getToken([], { ...asClient('acme-viewer'), dpop: asked });
    expect(body.token_type).toBe('DPoP');
    token = body.token;
    expect((await getToken([], { ...asClient('acme-viewer'), dpop: asked })).body).toMatchObject({ error: 'invalid_dpop_proof' });
  });

  it('opens the door with a proof for that request', async () => {
    expect(await enter(await proof())).toBe(200);
    expect(await enter(await proof())).toBe(200);
  });

  it('does not with a proof that was used, at this door or another', async () => {
    const used = await proof();
    expect(await enter(used)).toBe(200);
    expect(await enter(used)).toEqual([401, 'invalid_dpop_proof']);
  });

  it.each<[string, () => Promise<string | undefined>]>([
    ['without a proof', async () => undefined],
    ['by another key', async () => proof({}, await aProofKey())],
    ['for another address', () => proof({ htu: url('/v2/acme/tool/tags/list') })],
    ['for another host', () => proof({ htu: 'http://elsewhere.test/v2/' })],
    ['for another method', () => proof({ htm: 'HEAD' })],
    ['for another token', () => proof({ ath: hashOf('another') })],
    ['from two minutes ago', () => proof({ iat: now() - 120 })],
  ])('does not %s', async (_, make) => {
    expect(await enter(await make())).toEqual([401, 'invalid_dpop_proof']);
  });

  it('is no bearer token', async () => {
    expect(await enter(undefined, 'Bearer')).toEqual([401, 'invalid_token']);
    expect(await enter(await proof(), 'Bearer')).toEqual([401, 'invalid_token']);
  });
});

describe('stella', () => {
  it('asks as the client that docker logged in', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'packs-docker-'));
    try {
      const auth = Buffer.from(`acme-viewer:${secretOf('acme-viewer')}`).toString('base64');
      writeFileSync(join(folder, 'config.json'), JSON.stringify({ auths: { [new URL(registry.gatewayUrl).host]: { auth } } }));
      const env = { STELLA_REGISTRY_URL: registry.gatewayUrl, STELLA_CONFIG_DIR: join(folder, 'stella'), DOCKER_CONFIG: folder };
      const run = await runStella(['whoami', '--output', 'json'], { env });
      expect([run.code, JSON.parse(run.stdout)]).toMatchObject([0, { clientId: 'acme-viewer', tenant: 'acme', scopes: ['packs.read'] }]);
    } finally {
      rmSync(folder, { recursive: true, force: true });
    }
  });
});
