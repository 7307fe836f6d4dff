import { generateKeyPairSync } from 'node:crypto';
import { eventually } from '@packs/testing';
import { decodeProtectedHeader, SignJWT } from 'jose';
import type { Caller } from './caller';
import { ALL_SCOPES, AUDIENCE, Registry } from './registry';

/** A key id nobody knows makes the gateway fetch the keys again, though not more often than every few seconds. */
const FETCHED_AGAIN_WITHIN_MS = 10_000;
let registry: Registry;

beforeAll(async () => {
  registry = await Registry.shared();
});

async function publishedKeys(): Promise<readonly string[]> {
  const { keys } = (await (await fetch(`${registry.facts.authorityUrl}/jwks`)).json()) as { keys: readonly { kid: string }[] };
  return keys.map(({ kid }) => kid);
}

function keyOf({ token }: Caller): string | undefined {
  return decodeProtectedHeader(token ?? '').kid;
}

async function statusOf(caller: Caller): Promise<number> {
  return (await caller.get('/api/packs')).status;
}

/** The Authority publishes a new key, and signs with it. */
async function rotate(): Promise<void> {
  const before = await publishedKeys();
  await registry.part('authority').kill('SIGHUP');
  await eventually(async () => expect(await publishedKeys()).toEqual([expect.not.stringMatching(before.join('|')), before[0]]));
}

/** A token with the right claims, signed by a key of the test's own. */
function forged(kid: string | undefined): Promise<string> {
  const { privateKey } = generateKeyPairSync('rsa', { modulusLength: 2048 });
  return new SignJWT({ client_id: 'acme-viewer', tenant: 'acme', scope: ALL_SCOPES })
    .setProtectedHeader({ alg: 'RS256', typ: 'at+jwt', ...(kid !== undefined && { kid }) })
    .setIssuer(registry.facts.authorityUrl)
    .setAudience(AUDIENCE)
    .setSubject('acme-viewer')
    .setIssuedAt()
    .setExpirationTime('5m')
    .sign(privateKey);
}

describe('when the Authority changes its signing key', () => {
  it('tokens from before and from after are accepted by the gateway that runs', async () => {
    const gateway = await registry.part('api-gateway').pid();
    const before = await registry.client('acme-viewer');
    expect(await statusOf(before)).toBe(200);

    await rotate();
    const after = await registry.client('acme-viewer');
    expect(keyOf(after)).not.toBe(keyOf(before));
    await eventually(async () => expect(await statusOf(after)).toBe(200), FETCHED_AGAIN_WITHIN_MS);
    expect(await statusOf(before)).toBe(200);
    expect(await registry.part('api-gateway').pid()).toBe(gateway);
  });

  it('tokens of a key that is published no more are refused', async () => {
    const first = await registry.client('acme-viewer');
    expect(await statusOf(first)).toBe(200);
    await rotate();
    await rotate();
    expect(await publishedKeys()).not.toContain(keyOf(first));
    const latest = await registry.client('acme-viewer');
    await eventually(async () => expect(await statusOf(latest)).toBe(200), FETCHED_AGAIN_WITHIN_MS);
    expect(await statusOf(first)).toBe(401);
  });
});

describe('when the Authority is away', () => {
  it('tokens are good all the same; its keys are the same when it is back', async () => {
    const before = await registry.client('acme-viewer');
    await eventually(async () => expect(await statusOf(before)).toBe(200), FETCHED_AGAIN_WITHIN_MS);
    await registry.part('authority').without(async () => {
      expect(await statusOf(before)).toBe(200);
    });
    const after = await registry.client('acme-viewer');
    expect([keyOf(after), await statusOf(after)]).toEqual([keyOf(before), 200]);
  });
});

describe('a token signed by a key that was never published', () => {
  it.each<[string, () => Promise<string | undefined>]>([
    ['under a name of its own', async () => 'a-key-of-my-own'],
    ['under the name of the key that signs', async () => (await publishedKeys())[0]],
    ['under no name', async () => undefined],
  ])('%s is refused', async (_, kid) => {
    const stranger = (await registry.client('acme-viewer')).withToken(await forged(await kid()));
    const { status, body, headers } = await stranger.get('/api/packs');
    expect([status, body['code']]).toEqual([401, 'ERR_PACK_AUTHENTICATION']);
    expect(headers.get('www-authenticate')).toContain('invalid_token');
  });

  it('makes no difference to those that are', async () => {
    const viewer = await registry.client('acme-viewer');
    const stranger = viewer.withToken(await forged('another-key'));
    const statuses = await Promise.all([stranger, viewer, stranger, viewer].map(statusOf));
    expect(statuses).toEqual([401, 200, 401, 200]);
  });
});
