import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Problem, TrustAnswer } from '@packs/contracts';
import { MEDIA_TYPES, type PolicyRule, type Revocations } from '@packs/domain';
import { aKeylessAuthority, eventually, type KeylessAuthority } from '@packs/testing';
import type { Caller } from './caller';
import { CommandLine } from './command-line';
import { aBundle, aManifest, type Bundle } from './pack-bundle';
import { Registry } from './registry';
import { SigningKey } from './signing-key';

const ISSUER = 'https://issuer.test';
const IDENTITY = 'https://git.test/acme/release';
const HOUR = 3_600_000;
const ago = (ms: number): string => new Date(Date.now() - ms).toISOString();

let registry: Registry;
let authority: KeylessAuthority;

beforeAll(async () => {
  [registry, authority] = await Promise.all([Registry.shared(), aKeylessAuthority()]);
});

interface Window {
  readonly notBefore?: string;
  readonly notAfter?: string;
}

function trusting(admin: Caller, key: SigningKey, { window = {}, revoked }: { window?: Window; revoked?: Revocations } = {}) {
  const { name, publicKey, scheme } = key;
  return admin.put<TrustAnswer & Problem>('/api/trust', {
    keys: [{ name, publicKey, scheme, ...window }],
    trustedRoots: [authority.trustedRoot],
    ...(revoked && { revoked }),
  });
}

const ANYBODY: PolicyRule = { anyOf: [{ keyRef: 'release' }, { oidcIssuer: { issuer: ISSUER, identity: IDENTITY } }] };

/** A tenant with a pack that its key signed, and one that somebody without a key did. */
async function tenantWithPacks() {
  const admin = await registry.caller();
  const key = new SigningKey('release');
  expect((await trusting(admin, key)).status).toBe(200);
  expect((await admin.policy(ANYBODY)).status).toBe(200);
  const [byKey, byIdentity] = [aBundle(aManifest('by-key')), aBundle(aManifest('by-identity'))];
  expect((await admin.publish(byKey, { signatures: [key.sigstore(byKey.bytes)] })).status).toBe(201);
  const content = await authority.bundle(byIdentity.bytes, { issuer: ISSUER, identity: IDENTITY });
  expect((await admin.publish(byIdentity, { signatures: [{ mediaType: MEDIA_TYPES.sigstoreBundle, content }] })).status).toBe(201);
  return { admin, key, byKey, byIdentity };
}

/** What reading the version answers: 200, or the reasons it is withdrawn for. */
async function readBy(admin: Caller, { packId }: Bundle): Promise<unknown> {
  const answers = await Promise.all(
    [`/api/packs/${packId}/versions/1.0.0`, `/api/packs/${packId}/versions/1.0.0/bundle`, `/packs/${packId}/1.0.0`].map(async path => {
      const { status, body } = await admin.get<Problem & { reasons: string[] }>(path);
      return status === 200 ? 200 : [status, body.code, ...body.reasons];
    }),
  );
  const [first, ...others] = answers;
  for (const other of others) expect(other).toEqual(first);
  return first;
}

const withdrawn = (reason: string) => [403, 'ERR_PACK_WITHDRAWN', reason];

/** What publishing another pack by the key answers. */
async function publishBy(admin: Caller, key: SigningKey): Promise<unknown> {
  const bundle = aBundle(aManifest('another'));
  const { status, body } = await admin.publish(bundle, { signatures: [key.sigstore(bundle.bytes)] });
  return [status, body.errors?.map(({ code }) => code)];
}

describe('a key with times', () => {
  it.each([
    ['that are over', { notAfter: ago(HOUR) }, 'ERR_PACK_KEY_EXPIRED'],
    ['to come', { notBefore: ago(-HOUR) }, 'ERR_PACK_KEY_NOT_YET_VALID'],
  ])('%s: what it signed is refused, and what was served is withdrawn at once', async (_, window, code) => {
    const { admin, key, byKey, byIdentity } = await tenantWithPacks();
    expect((await trusting(admin, key, { window })).body).toMatchObject({ epoch: 2, keys: [window] });
    expect(await readBy(admin, byKey)).toEqual(withdrawn(code));
    expect(await readBy(admin, byIdentity)).toBe(200);
    expect(await publishBy(admin, key)).toEqual([422, [code]]);
    expect((await trusting(admin, key, { window: { notBefore: ago(HOUR), notAfter: ago(-HOUR) } })).body).toMatchObject({ epoch: 3 });
    expect(await readBy(admin, byKey)).toBe(200);
  });

  it('is withdrawn from readers when its time is over, without anybody asking', async () => {
    const { admin, key, byKey } = await tenantWithPacks();
    const end = Date.now() + 3_000;
    await trusting(admin, key, { window: { notAfter: new Date(end).toISOString() } });
    expect(await readBy(admin, byKey)).toBe(200);
    await registry.part('publisher').without(() => eventually(() => expect(Date.now()).toBeGreaterThan(end)));
    // The publisher looks at what is due when it starts, and each minute.
    await eventually(async () => expect(await readBy(admin, byKey)).toEqual(withdrawn('ERR_PACK_KEY_EXPIRED')));
  });
});

describe('a revoked', () => {
  it('key: nothing that it signed is served or taken, until the revocation is taken back', async () => {
    const { admin, key, byKey, byIdentity } = await tenantWithPacks();
    await trusting(admin, key, { revoked: { keys: [{ keyId: key.keyId as never, reason: 'lost' }] } });
    expect(await readBy(admin, byKey)).toEqual(withdrawn('ERR_PACK_KEY_REVOKED'));
    expect(await readBy(admin, byIdentity)).toBe(200);
    expect(await publishBy(admin, key)).toEqual([422, ['ERR_PACK_KEY_REVOKED']]);
    await trusting(admin, key);
    expect(await readBy(admin, byKey)).toBe(200);
  });

  it.each([
    ['', undefined, withdrawn('ERR_PACK_IDENTITY_REVOKED')],
    [' since before it signed', ago(HOUR), withdrawn('ERR_PACK_IDENTITY_REVOKED')],
    [' since after it signed', ago(-HOUR), 200],
  ])('identity%s', async (_, since, expected) => {
    const { admin, key, byKey, byIdentity } = await tenantWithPacks();
    const entry = { issuer: ISSUER, identity: IDENTITY, ...(since !== undefined && { since }), reason: 'left' };
    await trusting(admin, key, { revoked: { identities: [entry] } });
    expect(await readBy(admin, byIdentity)).toEqual(expected);
    expect(await readBy(admin, byKey)).toBe(200);
  });

  it('bundle, manifest or signature: that version alone, even where nothing has to be signed', async () => {
    const { admin, key, byKey, byIdentity } = await tenantWithPacks();
    await admin.policy({ keyRef: 'release' }, { unsigned: 'allow' });
    const unsigned = aBundle(aManifest('unsigned'));
    expect((await admin.publish(unsigned)).status).toBe(201);
    const { manifestDigest } = (await admin.version('by-identity', '1.0.0')).body;
    const [signature] = (await admin.version('by-key', '1.0.0')).body.signatures;
    const digests = [unsigned.digest, manifestDigest, signature?.digest ?? ''].map(digest => ({
      digest: digest as never,
      reason: 'malware',
    }));
    const { body } = await trusting(admin, key, { revoked: { digests } });
    expect(body.revoked?.digests?.map(({ digest }) => digest)).toEqual(digests.map(({ digest }) => digest).toSorted());
    for (const bundle of [unsigned, byKey, byIdentity]) expect(await readBy(admin, bundle)).toEqual(withdrawn('ERR_PACK_DIGEST_REVOKED'));
    const again = aBundle(aManifest('again'));
    await trusting(admin, key, { revoked: { digests: [{ digest: again.digest as never, reason: 'known to be bad' }] } });
    const refused = await admin.publish(again);
    expect([refused.status, refused.body.errors?.map(({ code }) => code)]).toEqual([422, ['ERR_PACK_DIGEST_REVOKED']]);
    for (const bundle of [unsigned, byKey, byIdentity]) expect(await readBy(admin, bundle)).toBe(200);
  });
});

describe('who changes what is trusted', () => {
  it('is told which member is wrong, and changes nothing', async () => {
    const { admin, key } = await tenantWithPacks();
    const before = (await admin.get<TrustAnswer>('/api/trust')).body;
    const faults: [object, string][] = [
      [{ window: { notAfter: 'tomorrow' } }, '/keys/0/notAfter'],
      [{ window: { notBefore: ago(0), notAfter: ago(HOUR) } }, '/keys/0/notAfter'],
      [{ revoked: { keys: [{ keyId: 'release', reason: 'x' }] } }, '/revoked/keys/0/keyId'],
      [{ revoked: { digests: [{ digest: before.digest }] } }, '/revoked/digests/0/reason'],
      [{ revoked: { everything: [] } }, '/revoked'],
    ];
    for (const [changes, pointer] of faults) {
      const { status, body } = await trusting(admin, key, changes);
      expect([status, body.code, body.errors?.[0]?.pointer]).toEqual([400, 'ERR_PACK_TRUST_INVALID', pointer]);
    }
    expect((await admin.get('/api/trust')).body).toEqual(before);
  });

  it('may say what it replaces, and is refused when somebody else was faster', async () => {
    const { admin, key } = await tenantWithPacks();
    const read = await admin.get<TrustAnswer>('/api/trust');
    const etag = read.headers.get('etag') ?? '';
    expect(etag).toBe(`"${read.body.digest}"`);
    const { name, publicKey, scheme } = key;
    const put = (notAfter: string, ifMatch: string) =>
      admin.send<Problem>('PUT', '/api/trust', {
        headers: { 'if-match': ifMatch },
        json: { keys: [{ name, publicKey, scheme, notAfter }] },
      });
    const first = await put(ago(-HOUR), etag);
    expect([first.status, first.headers.get('etag') === etag]).toEqual([200, false]);
    expect([(await put(ago(-2 * HOUR), etag)).body.code, (await put(ago(0), 'W/"x"')).body.code]).toEqual([
      'ERR_PACK_PRECONDITION',
      'ERR_PACK_REQUEST_INVALID',
    ]);
  });

  it('loses nothing to others who revoke at the same time from the command line', async () => {
    const { admin, key, byKey, byIdentity } = await tenantWithPacks();
    const line = new CommandLine({ STELLA_REGISTRY_URL: registry.gatewayUrl, STELLA_TOKEN: admin.token ?? '' });
    const targets = [
      ['--key', 'release'],
      ['--identity', IDENTITY, '--issuer', ISSUER],
      ['--digest', byKey.digest],
      ['--digest', byIdentity.digest],
    ];
    const results = await Promise.all(targets.map(target => line.stella('trust', 'revoke', ...target, '--reason', 'stolen laptop')));
    expect(results.map(({ code, stderr }) => [code, stderr])).toEqual(targets.map(() => [0, '']));
    const shown = await line.json<TrustAnswer>('trust', 'show');
    expect(shown.revoked).toEqual({
      keys: [{ keyId: key.keyId, reason: 'stolen laptop' }],
      identities: [{ issuer: ISSUER, identity: IDENTITY, reason: 'stolen laptop' }],
      digests: [byKey, byIdentity]
        .map(({ digest }) => ({ digest, reason: 'stolen laptop' }))
        .toSorted((a, b) => (a.digest < b.digest ? -1 : 1)),
    });
    for (const target of targets) expect((await line.stella('trust', 'unrevoke', ...target)).code).toBe(0);
    expect(await line.json<TrustAnswer>('trust', 'show')).not.toHaveProperty('revoked');
    expect((await line.stella('trust', 'unrevoke', '--key', 'release')).code).toBe(5);
    expect([await readBy(admin, byKey), await readBy(admin, byIdentity)]).toEqual([200, 200]);
    writeFileSync(join(line.folder, 'next.pem'), new SigningKey('next').publicKey);
    const added = ['trust', 'add', '--name', 'next', '--key', 'next.pem', '--not-before', ago(HOUR), '--not-after', ago(-HOUR)];
    const { keys } = await line.json<TrustAnswer>(...added);
    expect(keys.map(({ name, notAfter }) => [name, notAfter === undefined])).toEqual([
      ['next', false],
      ['release', true],
    ]);
  });
});
