import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { SCOPES } from '@packs/domain';
import { apiRoutes, ask, isScope, PUBLIC_OPERATIONS, type Route, type Target } from './api-routes';
import { aBundle, aManifest } from './pack-bundle';
import { newTenant, Registry } from './registry';
import { SigningKey } from './signing-key';

const key = new SigningKey('release');
const bundle = aBundle(aManifest('matrix'));
const target: Target = {
  packId: 'matrix',
  version: '1.0.0',
  deadLetter: '01ABSENT',
  bundle,
  signature: key.sigstore(bundle.bytes),
  attestation: key.dsse(bundle.bytes),
  key,
};
let registry: Registry;
let routes: readonly Route[];

beforeAll(async () => {
  registry = await Registry.shared();
  routes = await apiRoutes(registry.gatewayUrl);
});

it('every route declares the scope it needs, but the public ones', () => {
  const withoutScope = routes.filter(({ scope }) => !isScope(scope)).map(({ operationId }) => operationId);
  expect(withoutScope).toEqual(PUBLIC_OPERATIONS);
  expect(routes.length).toBeGreaterThan(20);
});

it('every route is written down in docs/openapi.json as it is served', async () => {
  const served = await (await fetch(`${registry.gatewayUrl}/api/openapi.json`)).json();
  expect(served).toEqual(JSON.parse(readFileSync(join(__dirname, '..', 'docs', 'openapi.json'), 'utf8')));
});

it.each(SCOPES)('a token with %s alone opens the routes that ask for it and no others', async scope => {
  const caller = await registry.caller(newTenant(), scope);
  const wrong: string[] = [];
  for (const route of routes) {
    const { status, body } = await ask(caller, route, target);
    const refused = status === 403 && body?.['code'] === 'ERR_PACK_SCOPE';
    const expected = route.scope !== undefined && route.scope !== scope;
    if (refused !== expected) wrong.push(`${route.operationId} answers ${status} ${String(body?.['code'])}`);
    if (refused && body['requiredScope'] !== route.scope) wrong.push(`${route.operationId} asks for ${String(body['requiredScope'])}`);
  }
  expect(wrong).toEqual([]);
});

it('a token with all scopes but the one that is asked for opens nothing', async () => {
  const wrong: string[] = [];
  for (const route of routes.filter(({ scope }) => scope !== undefined)) {
    const caller = await registry.caller(newTenant(), SCOPES.filter(scope => scope !== route.scope).join(' '));
    const { status, body } = await ask(caller, route, target);
    if (status !== 403 || body['code'] !== 'ERR_PACK_SCOPE') wrong.push(`${route.operationId} answers ${status}`);
  }
  expect(wrong).toEqual([]);
});

it.each([
  ['Packs.Read', 'listPacks', true],
  ['PACKS.READ', 'listPacks', true],
  ['packs:read', 'listPacks', true],
  ['packs:publish', 'deprecateVersion', true],
  ['packs:admin', 'getTrust', false],
  ['packs:admin', 'listDeadLetters', true],
  ['packs:execute', 'listPacks', false],
  ['packs:approve', 'listPacks', false],
  ['packs.readonly', 'listPacks', false],
  ['scanner.read packs:read', 'listPacks', true],
])('scope %s opens %s: %s', async (scope, operationId, opens) => {
  const route = routes.find(one => one.operationId === operationId);
  if (!route) throw new Error(`no operation ${operationId}`);
  const { body } = await ask(await registry.caller(newTenant(), scope), route, target);
  expect(body['code'] === 'ERR_PACK_SCOPE').toBe(!opens);
});

describe('the roles of the Authority', () => {
  const READS = ['packs.read'];
  it.each([
    ['acme-viewer', READS],
    ['acme-publisher', [...READS, 'packs.write']],
    ['acme-approver', [...READS, 'packs.approve']],
    ['acme-operator', [...READS, 'packs.run']],
    ['acme-admin', [...READS, 'packs.write', 'packs.approve', 'packs.admin']],
  ])('%s may do what its scopes say, with the token it is given for its secret', async (clientId, scopes) => {
    const caller = await registry.client(clientId);
    const wrong: string[] = [];
    for (const route of routes.filter(({ operationId }) => operationId !== 'putTrust' && operationId !== 'putPolicy')) {
      const { status, body } = await ask(caller, route, { ...target, packId: 'absent', signature: key.raw(Buffer.from('x')) });
      const refused = status === 403 && body?.['code'] === 'ERR_PACK_SCOPE';
      if (refused !== (route.scope !== undefined && !scopes.includes(route.scope))) wrong.push(`${route.operationId} answers ${status}`);
    }
    expect(wrong).toEqual([]);
  });
});
