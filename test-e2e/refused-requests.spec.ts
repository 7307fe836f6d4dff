import { createHmac, generateKeyPairSync, sign } from 'node:crypto';
import type { Problem } from '@packs/contracts';
import { eventually } from '@packs/testing';
import { loadSigningKeys } from '../tools/authority/signing-keys';
import type { Answer, Caller } from './caller';
import { aBundle, aManifest } from './pack-bundle';
import { ALL_SCOPES, AUDIENCE, MAX_BUNDLE_BYTES, newTenant, Registry } from './registry';
import { SigningKey } from './signing-key';
import { auditSettled, rowsOf } from './tenant-state';

const key = new SigningKey('release');
const bundle = aBundle(aManifest('there'));
let registry: Registry;
let admin: Caller;

beforeAll(async () => {
  registry = await Registry.shared();
  admin = await registry.caller();
  await admin.accept(key);
  await admin.publish(bundle, { signatures: [key.sigstore(bundle.bytes)] });
  await eventually(() => auditSettled(registry, admin.tenant));
});

async function expectNothingChanged<T>(work: () => Promise<T>): Promise<T> {
  const before = await rowsOf(registry, admin.tenant);
  const result = await work();
  expect(await rowsOf(registry, admin.tenant)).toEqual(before);
  return result;
}

function base64url(value: object | Buffer): string {
  return (Buffer.isBuffer(value) ? value : Buffer.from(JSON.stringify(value))).toString('base64url');
}

/** A token put together by hand. */
function forged(header: object, changes: object, signer: (input: string) => Buffer): string {
  const now = Math.floor(Date.now() / 1000);
  const claims = {
    iss: registry.facts.authorityUrl,
    aud: AUDIENCE,
    sub: 'mallory',
    client_id: 'mallory',
    tenant: admin.tenant,
    scope: ALL_SCOPES,
    iat: now,
    exp: now + 600,
    ...changes,
  };
  const input = `${base64url({ typ: 'at+jwt', ...header })}.${base64url(claims)}`;
  return `${input}.${base64url(signer(input))}`;
}

function authorityKey() {
  const [current] = loadSigningKeys(registry.authorityFolder);
  if (!current) throw new Error('the Authority has no key');
  return current;
}

/** The public half of the Authority's key, as an attacker takes it for a shared secret. */
async function publishedKeys(): Promise<string> {
  return (await fetch(`${registry.facts.authorityUrl}/jwks`)).text();
}

const mallory = generateKeyPairSync('rsa', { modulusLength: 2048 }).privateKey;
const rs256 = (input: string) => sign('sha256', Buffer.from(input), mallory);

const UNAUTHENTIC: readonly (readonly [name: string, authorization: () => Promise<string> | string])[] = [
  ['no token', () => ''],
  ['no scheme', async () => registry.token({ tenant: admin.tenant, scope: ALL_SCOPES })],
  ['another scheme', () => `Basic ${Buffer.from('acme-admin:secret').toString('base64')}`],
  ['garbage', () => 'Bearer garbage'],
  ['three parts of garbage', () => 'Bearer a.b.c'],
  ['an overlong token', () => `Bearer ${'a'.repeat(9000)}`],
  ['an expired token', async () => `Bearer ${await registry.token({ tenant: admin.tenant, scope: ALL_SCOPES, expiresInSeconds: -60 })}`],
  [
    'a token for somebody else',
    async () => `Bearer ${await registry.token({ tenant: admin.tenant, scope: ALL_SCOPES, audience: 'another-service' })}`,
  ],
  [
    'a token of another issuer',
    async () => `Bearer ${await registry.token({ tenant: admin.tenant, scope: ALL_SCOPES, issuer: 'http://evil.test' })}`,
  ],
  ['a token without signature (alg none)', () => `Bearer ${forged({ alg: 'none' }, {}, () => Buffer.alloc(0))}`],
  [
    'a token signed with the public key as secret (HS256)',
    async () => {
      const secret = await publishedKeys();
      return `Bearer ${forged({ alg: 'HS256', kid: authorityKey().kid }, {}, input => createHmac('sha256', secret).update(input).digest())}`;
    },
  ],
  ['a token signed by another key under the same key id', () => `Bearer ${forged({ alg: 'RS256', kid: authorityKey().kid }, {}, rs256)}`],
  ['a token signed by a key that it brings along', () => `Bearer ${forged({ alg: 'RS256', jwk: { kty: 'RSA' } }, {}, rs256)}`],
  [
    'a token whose claims were changed',
    async () => {
      const [header, , signature] = (await registry.token({ tenant: newTenant(), scope: ALL_SCOPES })).split('.');
      const [, claims] = forged({}, {}, rs256).split('.');
      return `Bearer ${header}.${claims}.${signature}`;
    },
  ],
];

describe('without a token of the Authority', () => {
  const ROUTES = [
    ['GET', '/api/packs'],
    ['GET', '/api/packs/there/versions/1.0.0/bundle'],
    ['GET', '/api/packs/there/events'],
    ['GET', '/packs/there/1.0.0'],
    ['PUT', '/api/trust'],
    ['DELETE', '/api/packs/there/versions/1.0.0'],
    ['GET', '/api/no-such-route'],
  ] as const;

  it.each(UNAUTHENTIC)('%s: every route answers 401 and nothing changes', async (_, authorization) => {
    const headers = { authorization: await authorization() };
    await expectNothingChanged(async () => {
      for (const [method, path] of ROUTES) {
        const answer = await admin
          .withToken(null)
          .send<Problem>(method, path, { headers, ...(method === 'PUT' && { json: { keys: [] } }) });
        expect([method, path, answer.status, answer.body.code]).toEqual([method, path, 401, 'ERR_PACK_AUTHENTICATION']);
        expect(answer.headers.get('www-authenticate')).toMatch(/^Bearer /);
      }
      const published = await admin.withToken(null).publish(aBundle(aManifest('intruder')), { headers });
      expect([published.status, published.body.code]).toEqual([401, 'ERR_PACK_AUTHENTICATION']);
    });
  });

  it('the routes that need none answer', async () => {
    for (const path of ['/healthz', '/readyz', '/metrics', '/api/openapi.json', '/api/client-config']) {
      expect([path, (await admin.withToken(null).get(path)).status]).toEqual([path, 200]);
      expect([path, (await admin.withToken('garbage').get(path)).status]).toEqual([path, 200]);
    }
  });

  it('the answer reaches clients that are still sending', async () => {
    const huge = Buffer.alloc(MAX_BUNDLE_BYTES - 1000);
    const uploads = Array.from({ length: 8 }, () => admin.withToken(null).publish({ ...bundle, bytes: huge }));
    expect((await Promise.all(uploads)).map(({ status }) => status)).toEqual(uploads.map(() => 401));
  });
});

describe('with a token that lacks something', () => {
  it.each<[string, { tenant?: string; scope?: string }]>([
    ['no tenant', { scope: ALL_SCOPES }],
    ['no scope', { tenant: 'acme' }],
    ['only scopes of other services', { tenant: 'acme', scope: 'scanner.read openid' }],
    ['a tenant that is no name', { tenant: '../acme', scope: ALL_SCOPES }],
  ])('%s: ERR_PACK_SCOPE', async (_, claims) => {
    const token = await registry.token(claims);
    await expectNothingChanged(async () => {
      for (const [method, path] of [
        ['GET', '/api/packs'],
        ['GET', '/packs'],
        ['PUT', '/api/trust'],
      ] as const) {
        const answer = await admin.withToken(token).send<Problem>(method, path, method === 'PUT' ? { json: { keys: [] } } : {});
        expect([answer.status, answer.body.code]).toEqual([403, 'ERR_PACK_SCOPE']);
        expect(answer.headers.get('www-authenticate')).toContain('insufficient_scope');
      }
    });
  });
});

type Refused = readonly [
  name: string,
  send: () => Promise<Answer<Problem>>,
  expected: readonly [status: number, code: string, place?: string],
];

const get = (path: string, query: Readonly<Record<string, string>> = {}, headers: Readonly<Record<string, string>> = {}) =>
  admin.get<Problem>(path, query, headers);
const put = (path: string, json: unknown) => admin.put<Problem>(path, json);
const keyed = (changes: object) => put('/api/trust', { keys: [{ name: 'release', publicKey: key.publicKey, ...changes }] });
const pem = (type: 'spki' | 'pkcs8', kind: 'weak' | 'p521') => {
  const pair = kind === 'weak' ? generateKeyPairSync('rsa', { modulusLength: 1024 }) : generateKeyPairSync('ec', { namedCurve: 'P-521' });
  return (type === 'spki' ? pair.publicKey.export({ type, format: 'pem' }) : pair.privateKey.export({ type, format: 'pem' })).toString();
};
const INVALID = 'ERR_PACK_REQUEST_INVALID';

const PARAMETERS: readonly Refused[] = [
  ['a query member nobody knows', () => get('/api/packs', { colour: 'red' }), [400, INVALID, 'colour']],
  ['a query member nobody knows, of versions', () => get('/api/packs/there/versions', { sort: 'up' }), [400, INVALID, 'sort']],
  ['a query member nobody knows, of a version', () => get('/api/packs/there/versions/1.0.0', { tenant: 'acme' }), [400, INVALID, 'tenant']],
  ['a query member nobody knows, of the audit log', () => get('/api/audit', { tenant: 'acme' }), [400, INVALID, 'tenant']],
  ['a query member nobody knows, of a publish', () => admin.publish(bundle, { query: { force: 'true' } }), [400, INVALID, 'force']],
  ['a page of nothing', () => get('/api/packs', { limit: '0' }), [400, INVALID, 'limit']],
  ['a page that is too large', () => get('/api/packs', { limit: '201' }), [400, INVALID, 'limit']],
  ['a page of no number', () => get('/api/audit', { limit: 'all' }), [400, INVALID, 'limit']],
  ['an audit position below zero', () => get('/api/audit', { after: '-1' }), [400, INVALID, 'after']],
  ['a type that is none', () => get('/api/packs', { type: 'virus' }), [400, INVALID, 'type']],
  ['a truth value that is none', () => get('/api/packs', { deprecated: 'maybe' }), [400, INVALID, 'deprecated']],
  ['an endless cursor', () => get('/api/packs', { cursor: 'x'.repeat(513) }), [400, INVALID, 'cursor']],
  ['a channel that is no name', () => admin.publish(bundle, { query: { channel: 'Not A Name' } }), [400, INVALID, 'channel']],
  ['a declared digest that is none', () => admin.publish(bundle, { query: { digest: 'sha256:xyz' } }), [400, INVALID, 'digest']],
  [
    'a declared version that is not semver',
    () => admin.publish(bundle, { query: { version: '1.0' } }),
    [400, 'ERR_PACK_VERSION_INVALID', 'version'],
  ],
  ['a packId that is no name', () => get('/api/packs/NotAName'), [400, 'ERR_PACK_ID_INVALID', 'packId']],
  ['a packId that climbs', () => get('/api/packs/..%2f..%2fetc/versions'), [400, 'ERR_PACK_ID_INVALID', 'packId']],
  ['a packId that is too long', () => get(`/api/packs/${'a'.repeat(129)}`), [400, 'ERR_PACK_ID_INVALID', 'packId']],
  ['a version that is not semver', () => get('/api/packs/there/versions/latest'), [400, 'ERR_PACK_VERSION_INVALID', 'version']],
  ['a version with a v', () => get('/packs/there/v1.0.0'), [400, 'ERR_PACK_VERSION_INVALID', 'version']],
  ['a namespace that is no name', () => get('/api/packs/there', { namespace: "x' or 1=1" }), [400, INVALID, 'namespace']],
  [
    'a Last-Event-ID that is no number',
    () => get('/api/packs/there/events', {}, { 'last-event-id': 'yesterday' }),
    [400, INVALID, 'Last-Event-ID'],
  ],
  ['a route that is not there', () => get('/api/nothing'), [404, 'ERR_PACK_NOT_FOUND']],
  ['a range outside of the bundle', () => get('/packs/there/1.0.0', {}, { range: 'bytes=999999-' }), [416, 'ERR_PACK_RANGE']],
  ...['', ' ', 'a b', 'k'.repeat(129), 'schlüssel'].map((idempotencyKey): Refused => [
    `an Idempotency-Key of ${idempotencyKey.length > 9 ? '129 characters' : JSON.stringify(idempotencyKey)}`,
    () => admin.publish(bundle, { headers: { 'idempotency-key': Buffer.from(idempotencyKey).toString('latin1') } }),
    [400, INVALID, 'Idempotency-Key'],
  ]),
];

const BODIES: readonly Refused[] = [
  [
    'JSON that is none',
    () => admin.send('PUT', '/api/trust', { body: '{"keys": [', headers: { 'content-type': 'application/json' } }),
    [400, INVALID],
  ],
  [
    'JSON that reaches for a prototype',
    () => admin.send('PUT', '/api/trust', { body: '{"__proto__": {}}', headers: { 'content-type': 'application/json' } }),
    [400, INVALID],
  ],
  ['a list where an object belongs', () => put('/api/trust', []), [400, INVALID]],
  ['a body of no kind', () => admin.send('PUT', '/api/trust', { body: 'keys', headers: { 'content-type': 'text/plain' } }), [400, INVALID]],
  ['a member nobody knows', () => put('/api/trust', { keys: [], roots: [] }), [400, INVALID, 'roots']],
  ['a member that is missing', () => put('/api/trust', {}), [400, INVALID, 'keys']],
  ['a key without a name', () => keyed({ name: undefined }), [400, INVALID, 'keys.0.name']],
  ['a key that is none', () => keyed({ publicKey: 'PEM' }), [400, 'ERR_PACK_TRUST_INVALID', '/keys/0/publicKey']],
  ['a key that is too weak', () => keyed({ publicKey: pem('spki', 'weak') }), [400, 'ERR_PACK_TRUST_INVALID', '/keys/0/publicKey']],
  [
    'a key on a curve nobody uses here',
    () => keyed({ publicKey: pem('spki', 'p521') }),
    [400, 'ERR_PACK_TRUST_INVALID', '/keys/0/publicKey'],
  ],
  ['a private key', () => keyed({ publicKey: pem('pkcs8', 'p521') }), [400, 'ERR_PACK_TRUST_INVALID', '/keys/0/publicKey']],
  ['a scheme that does not fit the key', () => keyed({ scheme: 'ed25519' }), [400, 'ERR_PACK_TRUST_INVALID', '/keys/0/scheme']],
  [
    'a key twice',
    () => put('/api/trust', { keys: ['a', 'b'].map(name => ({ name, publicKey: key.publicKey })) }),
    [400, 'ERR_PACK_TRUST_INVALID', '/keys/1/publicKey'],
  ],
  ['a policy without a rule', () => put('/api/policies/p', {}), [400, INVALID, 'rule']],
  ['a policy whose rule is none', () => put('/api/policies/p', { rule: { noneOf: [] } }), [400, 'ERR_PACK_POLICY_INVALID', '/rule']],
  ['a policy of no rules', () => put('/api/policies/p', { rule: { allOf: [] } }), [400, 'ERR_PACK_POLICY_INVALID', '/rule/allOf']],
  ['a policy of no keys', () => put('/api/policies/p', { rule: { anyOf: [] } }), [400, 'ERR_PACK_POLICY_INVALID', '/rule/anyOf']],
  [
    'a policy whose name is none',
    () => put('/api/policies/NOT%20A%20NAME', { rule: { keyRef: 'a' } }),
    [400, 'ERR_PACK_POLICY_INVALID', 'name'],
  ],
  [
    'a policy for unsigned packs of no kind',
    () => put('/api/policies/p', { rule: { keyRef: 'a' }, unsigned: 'perhaps' }),
    [400, INVALID, 'unsigned'],
  ],
  ['tenants that are no names', () => put('/api/visibility', { shareWith: ['ok', 'NOT OK'] }), [400, INVALID, 'shareWith']],
  [
    'a policy that is neither true nor false',
    () => put('/api/visibility', { shareWith: [], publicRead: 'yes' }),
    [400, INVALID, 'publicRead'],
  ],
  ['a JSON body that is too large', () => put('/api/trust', { keys: [], x: 'x'.repeat(600_000) }), [413, 'ERR_PACK_TOO_LARGE']],
  [
    'a publish as something else',
    () => admin.send('POST', '/api/packs/there/versions', { body: 'hello', headers: { 'content-type': 'text/plain' } }),
    [400, INVALID],
  ],
  [
    'a publish as JSON that names no reference',
    () => admin.send('POST', '/api/packs/there/versions', { json: {} }),
    [400, INVALID, 'reference'],
  ],
  [
    'a signature header that is not base64',
    () => admin.publishRaw(bundle, key.raw(bundle.bytes), { headers: { 'stella-signature': '***' } }),
    [400, INVALID, 'Stella-Signature'],
  ],
  [
    'base64 that is none',
    () => admin.send('POST', '/packs', { json: { manifest: bundle.manifest, content: '%%%' } }),
    [400, INVALID, 'content'],
  ],
  [
    'an upload without manifest',
    () => admin.send('POST', '/packs', { json: { content: bundle.bytes.toString('base64') } }),
    [400, INVALID, 'manifest'],
  ],
];

describe('a bad request is refused with its place, and nothing changes', () => {
  it.each([...PARAMETERS, ...BODIES])('%s', async (_, send, [status, code, place]) => {
    const answer = await expectNothingChanged(send);
    expect([answer.status, answer.body.code]).toEqual([status, code]);
    expect(answer.headers.get('content-type')).toMatch(/^application\/problem\+json/);
    expect(answer.body).toMatchObject({
      status,
      type: expect.stringContaining(code),
      title: expect.any(String),
      instance: expect.any(String),
    });
    if (place !== undefined) expect(answer.body.errors?.map(fault => fault.pointer ?? fault.field)).toContain(place);
  });

  it('a manifest that is not the bundle’s, by the alias', async () => {
    const other = aBundle(aManifest('there', '2.0.0'));
    const { mediaType, content } = key.sigstore(other.bytes);
    const signatures = [{ mediaType, content: content.toString('base64') }];
    const upload = { manifest: aManifest('there', '3.0.0'), content: other.bytes.toString('base64'), signatures };
    const { status, body } = await admin.send<Problem>('POST', '/packs', { json: upload });
    expect([status, body.code, body.errors?.map(fault => fault.pointer)]).toEqual([422, 'ERR_PACK_MANIFEST_MISMATCH', ['/manifest']]);
    expect((await get('/api/packs/there/versions/2.0.0')).status).toBe(404);
    expect((await get('/api/packs/there/versions/3.0.0')).status).toBe(404);
  });
});
