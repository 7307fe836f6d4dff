import { createHmac } from 'node:crypto';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { JWTPayload } from 'jose';
import { aKey, LocalAuthority, type SigningKey } from './authority.fixture';
import { JoseTokenVerifier } from './jose-token-verifier';

const AUDIENCE = 'packs-registry';
const inSeconds = (seconds: number): number => Math.floor(Date.now() / 1000) + seconds;
const encode = (value: object): string => Buffer.from(JSON.stringify(value)).toString('base64url');

describe('JoseTokenVerifier', () => {
  let authority: LocalAuthority;
  let key: SigningKey;
  let verifier: JoseTokenVerifier;
  beforeAll(async () => {
    key = await aKey('first');
  });
  beforeEach(async () => {
    authority = await LocalAuthority.start();
    authority.keys = [key.jwk];
    verifier = new JoseTokenVerifier({ issuer: authority.issuer, audience: AUDIENCE });
  });
  afterEach(async () => {
    jest.restoreAllMocks();
    await authority.stop();
  });
  const verify = async (changes: JWTPayload = {}, signer = key) => verifier.verify(await authority.token(signer, changes));

  it('says who asks', async () => {
    const exp = inSeconds(60);
    expect(await verify({ exp })).toEqual({
      subject: 'alice',
      actor: 'user:alice',
      tenant: 'acme',
      scopes: ['packs.read', 'packs.write'],
      expiresAt: exp,
    });
    expect(await verify({ sub: 'ci', client_id: 'ci' })).toMatchObject({ subject: 'ci', actor: 'client:ci' });
  });

  it('says which key a token is bound to', async () => {
    expect(await verify({ cnf: { jkt: 'thumbprint' } })).toMatchObject({ keyThumbprint: 'thumbprint' });
  });

  it.each([
    ['Packs.Read', ['packs.read']],
    ['packs:publish packs:execute', ['packs.write', 'packs.run']],
    ['packs:admin openid profile', ['packs.admin']],
  ])('knows scope %j', async (scope, scopes) => {
    expect((await verify({ scope })).scopes).toEqual(scopes);
  });

  it('reads scopes from a list, and from scp', async () => {
    expect((await verify({ scope: ['packs.read', 7, 'packs.run'] })).scopes).toEqual(['packs.read', 'packs.run']);
    expect((await verify({ scope: undefined, scp: 'packs.approve' })).scopes).toEqual(['packs.approve']);
  });

  it.each(['PS256', 'ES256', 'EdDSA'])('accepts %s', async alg => {
    const other = await aKey(`key-${alg}`, alg);
    authority.keys.push(other.jwk);
    expect((await verify({}, other)).subject).toBe('alice');
  });

  describe('refuses as not valid', () => {
    const refusal = (message: RegExp) => ({
      code: 'ERR_PACK_AUTHENTICATION',
      retry: 'never',
      message: expect.stringMatching(message) as string,
    });

    it.each<[string, () => JWTPayload, RegExp]>([
      ['an expired token', () => ({ exp: inSeconds(-60) }), /expired/],
      ['a token without an end', () => ({ exp: undefined }), /exp/],
      ['a token from the future', () => ({ nbf: inSeconds(60) }), /nbf/],
      ['another issuer', () => ({ iss: 'https://evil.example' }), /iss/],
      ['no issuer', () => ({ iss: undefined }), /iss/],
      ['another audience', () => ({ aud: 'packs-registry-2' }), /aud/],
      ['no audience', () => ({ aud: undefined }), /aud/],
      ['no subject', () => ({ sub: undefined }), /sub/],
      ['a token bound to a key without a name', () => ({ cnf: { jkt: 7 } }), /bound/],
    ])('%s', async (_, changes, message) => {
      await expect(verify(changes())).rejects.toMatchObject(refusal(message));
    });

    it('a key nobody knows, and a known key id over another key', async () => {
      await expect(verify({}, await aKey('unknown'))).rejects.toMatchObject(refusal(/not valid/));
      await expect(verify({}, await aKey('first'))).rejects.toMatchObject(refusal(/not valid/));
    });

    it.each(['RS384', 'RS512', 'PS512', 'ES384'])('algorithm %s, though the key is published', async alg => {
      const other = await aKey(`key-${alg}`, alg);
      authority.keys.push(other.jwk);
      await expect(verify({}, other)).rejects.toMatchObject(refusal(/not valid/));
    });

    it('a signature made with the public key as an HMAC secret', async () => {
      const [, claims] = (await authority.token(key)).split('.');
      const signed = `${encode({ alg: 'HS256', kid: 'first' })}.${claims}`;
      const secret = JSON.stringify(key.jwk);
      const token = `${signed}.${createHmac('sha256', secret).update(signed).digest('base64url')}`;
      await expect(verifier.verify(token)).rejects.toMatchObject(refusal(/not valid/));
    });

    it('algorithm none', async () => {
      const [, claims] = (await authority.token(key)).split('.');
      for (const alg of ['none', 'None', '']) {
        await expect(verifier.verify(`${encode({ alg, kid: 'first' })}.${claims}.`)).rejects.toMatchObject(refusal(/not valid/));
      }
    });

    it('changed claims', async () => {
      const [header, claims = '', signature] = (await authority.token(key)).split('.');
      const raised = { ...(JSON.parse(Buffer.from(claims, 'base64url').toString()) as object), tenant: 'globex' };
      await expect(verifier.verify(`${header}.${encode(raised)}.${signature}`)).rejects.toMatchObject(refusal(/not valid/));
    });

    it.each(['', 'a', 'a.b', 'a.b.c', '..', 'Bearer x'])('%j', async token => {
      await expect(verifier.verify(token)).rejects.toMatchObject(refusal(/not valid/));
    });

    it('a token of more than 8 KiB, without reading it', async () => {
      await expect(verify({ padding: 'x'.repeat(8192) })).rejects.toMatchObject(refusal(/too long/));
      expect(authority.requests).toEqual([]);
    });
  });

  describe('refuses for want of a tenant or a scope', () => {
    it.each<[string, JWTPayload]>([
      ['no tenant', { tenant: undefined }],
      ['an empty tenant', { tenant: '' }],
      ['a tenant that is no name', { tenant: "acme' or true --" }],
      ['a list of tenants', { tenant: ['acme'] }],
      ['everybody', { tenant: '*' }],
      ['no scope', { scope: undefined }],
      ['other scopes', { scope: 'openid profile packs.superuser' }],
      ['names every object has', { scope: 'constructor __proto__' }],
    ])('%s', async (_, changes) => {
      await expect(verify(changes)).rejects.toMatchObject({ code: 'ERR_PACK_SCOPE', retry: 'never' });
    });
  });

  describe('and keys', () => {
    it('fetches them once for many tokens', async () => {
      await Promise.all(Array.from({ length: 10 }, () => verify()));
      await verify();
      expect(authority.requests.toSorted()).toEqual(['/.well-known/openid-configuration', '/jwks']);
    });

    it('fetches them again for a new key, and drops one that is gone', async () => {
      await verify();
      const next = await aKey('next');
      authority.keys = [next.jwk];
      const later = Date.now() + 6_000;
      jest.spyOn(Date, 'now').mockImplementation(() => later);
      expect((await verify({}, next)).subject).toBe('alice');
      await expect(verify()).rejects.toMatchObject({ code: 'ERR_PACK_AUTHENTICATION' });
    });

    it('are not fetched for every unknown key id', async () => {
      await verify();
      const unknown = await aKey('unknown');
      for (let at = 0; at < 5; at++) await expect(verify({}, unknown)).rejects.toMatchObject({ code: 'ERR_PACK_AUTHENTICATION' });
      expect(authority.requests.filter(path => path === '/jwks')).toHaveLength(1);
    });

    it.each(['/.well-known', '/jwks'])('that cannot be had at %s are no fault of the token, and are asked for again', async path => {
      authority.broken = path;
      await expect(verify()).rejects.toMatchObject({ code: 'ERR_PACK_UNAVAILABLE', retry: 'later' });
      await expect(verifier.check()).rejects.toMatchObject({ code: 'ERR_PACK_UNAVAILABLE' });
      authority.broken = undefined;
      await expect(verifier.check()).resolves.toBeUndefined();
      expect((await verify()).subject).toBe('alice');
    });

    it('that nobody serves are no fault of the token', async () => {
      const token = await authority.token(key);
      await authority.stop();
      await expect(verifier.verify(token)).rejects.toMatchObject({ code: 'ERR_PACK_UNAVAILABLE', retry: 'later' });
    });

    it('are not taken from an issuer that says it is another', async () => {
      authority.discovery = { issuer: 'https://evil.example' };
      await expect(verify()).rejects.toMatchObject({ code: 'ERR_PACK_UNAVAILABLE' });
    });

    it('are not fetched where a redirect leads', async () => {
      authority.movedTo = `${authority.issuer}/elsewhere`;
      await expect(verify()).rejects.toMatchObject({ code: 'ERR_PACK_UNAVAILABLE' });
      expect(authority.requests).toEqual(['/.well-known/openid-configuration']);
    });

    it('come from a file when there is one, without a connection', async () => {
      const folder = await mkdtemp(join(tmpdir(), 'packs-jwks-'));
      const jwksFile = join(folder, 'jwks.json');
      const offline = new JoseTokenVerifier({ issuer: authority.issuer, audience: AUDIENCE, jwksFile });
      await expect(offline.check()).rejects.toMatchObject({ code: 'ERR_PACK_UNAVAILABLE' });
      await writeFile(jwksFile, JSON.stringify({ keys: [key.jwk] }));
      await offline.check();
      expect((await offline.verify(await authority.token(key))).tenant).toBe('acme');
      await expect(offline.verify(await authority.token(await aKey('other')))).rejects.toMatchObject({ code: 'ERR_PACK_AUTHENTICATION' });
      expect(authority.requests).toEqual([]);
      await rm(folder, { recursive: true });
    });
  });
});
