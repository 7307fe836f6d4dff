import { createPublicKey, generateKeyPairSync, type KeyObject } from 'node:crypto';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { RegistryToken } from '@packs/ports';
import { FixedClock } from '@packs/testing';
import { decodeJwt, decodeProtectedHeader, SignJWT } from 'jose';
import { aKey, LocalAuthority } from './authority.fixture';
import { JoseRegistryTokens } from './jose-registry-tokens';
import { JoseTokenVerifier } from './jose-token-verifier';

const pemOf = (key: KeyObject): string => key.export({ type: 'pkcs8', format: 'pem' }).toString();
const p256 = (): KeyObject => generateKeyPairSync('ec', { namedCurve: 'P-256' }).privateKey;
const ed25519 = (): KeyObject => generateKeyPairSync('ed25519').privateKey;

describe('JoseRegistryTokens', () => {
  let folder: string;
  let clock: FixedClock;
  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'packs-token-keys-'));
    clock = new FixedClock(new Date(Math.floor(Date.now() / 1000) * 1000).toISOString());
  });
  afterEach(() => rm(folder, { recursive: true }));

  async function tokensBy(...pems: string[]): Promise<JoseRegistryTokens> {
    const file = join(folder, 'keys.pem');
    await writeFile(file, pems.join(''));
    return JoseRegistryTokens.open(file, clock);
  }
  const aToken = (changes: Partial<RegistryToken> = {}): RegistryToken => ({
    tenant: 'acme',
    subject: 'alice',
    actor: 'user:alice',
    access: [{ type: 'repository', name: 'acme/tool', actions: ['pull', 'push'] }],
    writes: true,
    keyThumbprint: null,
    expiresAt: clock.now().getTime() / 1000 + 300,
    ...changes,
  });
  const refusal = (message: RegExp) => ({ code: 'ERR_PACK_AUTHENTICATION', message: expect.stringMatching(message) as string });

  it.each([
    ['a P-256 key', p256, 'ES256'],
    ['an Ed25519 key', ed25519, 'EdDSA'],
  ])('reads what it wrote with %s', async (_, make, alg) => {
    const tokens = await tokensBy(pemOf(make()));
    for (const content of [aToken(), aToken({ tenant: null, access: [], writes: false }), aToken({ keyThumbprint: 'a-key' })]) {
      const token = await tokens.issue(content);
      expect(decodeProtectedHeader(token)).toMatchObject({ alg, typ: 'registry+jwt' });
      expect(tokens.claims(token)).toBe(true);
      expect(await tokens.verify(token)).toEqual(content);
    }
  });

  it('gives each token an id, and says when it was made', async () => {
    const tokens = await tokensBy(pemOf(p256()));
    const [one, two] = [decodeJwt(await tokens.issue(aToken())), decodeJwt(await tokens.issue(aToken()))];
    expect(one.jti).not.toBe(two.jti);
    expect(one).toMatchObject({ iat: clock.now().getTime() / 1000, exp: aToken().expiresAt });
  });

  it('has tokens end', async () => {
    const tokens = await tokensBy(pemOf(p256()));
    const token = await tokens.issue(aToken());
    clock.advance(299_000);
    await expect(tokens.verify(token)).resolves.toBeDefined();
    clock.advance(7_000);
    await expect(tokens.verify(token)).rejects.toMatchObject(refusal(/expired/));
  });

  it('signs with the first key and takes tokens of all, until a key is gone', async () => {
    const [before, next] = [pemOf(p256()), pemOf(ed25519())];
    const old = await (await tokensBy(before)).issue(aToken());
    const both = await tokensBy(`first\n${next}`, `second\n${before}`);
    const fresh = await both.issue(aToken());
    await expect(both.verify(old)).resolves.toBeDefined();
    await expect(both.verify(fresh)).resolves.toBeDefined();
    const after = await tokensBy(next);
    await expect(after.verify(fresh)).resolves.toBeDefined();
    await expect(after.verify(old)).rejects.toMatchObject(refusal(/not valid/));
  });

  it('refuses what another key signed, what was changed, and what is something else', async () => {
    const key = p256();
    const tokens = await tokensBy(pemOf(key));
    const token = await tokens.issue(aToken());
    const [header = '', , signature] = token.split('.');
    const { kid } = decodeProtectedHeader(token);
    const claims = decodeJwt(token);
    const raised = Buffer.from(JSON.stringify({ ...claims, tenant: 'globex' })).toString('base64url');
    const signed = (changes: Record<string, unknown>, by: KeyObject | Uint8Array, alg = 'ES256', typ = 'registry+jwt') =>
      new SignJWT({ ...claims, ...changes }).setProtectedHeader({ alg, kid, typ }).sign(by);
    const publicPem = createPublicKey(key).export({ type: 'spki', format: 'pem' }).toString();
    for (const bad of [
      await (await tokensBy(pemOf(p256()))).issue(aToken()),
      await signed({}, p256()),
      await signed({}, Buffer.from(publicPem), 'HS256'),
      await signed({}, key, 'ES256', 'at+jwt'),
      await signed({ iss: 'https://authority.test' }, key),
      await signed({ aud: 'packs-registry' }, key),
      await signed({ tenant: 'NOT A TENANT' }, key),
      await signed({ tenant: undefined }, key),
      await signed({ access: 'all' }, key),
      await signed({ exp: undefined }, key),
      `${header}.${raised}.${signature}`,
      `${header}.${raised}.`,
      '',
      'a.b.c',
    ]) {
      await expect(tokens.verify(bad)).rejects.toMatchObject(refusal(/not valid/));
    }
    await expect(tokens.verify(`${token}${'x'.repeat(16 * 1024)}`)).rejects.toMatchObject(refusal(/too long/));
  });

  it('knows its own from the Authority’s, which knows none of these', async () => {
    const authority = await LocalAuthority.start();
    try {
      const key = await aKey('first');
      authority.keys = [key.jwk];
      const tokens = await tokensBy(pemOf(p256()));
      const [own, foreign] = [await tokens.issue(aToken()), await authority.token(key)];
      expect([own, foreign, '', 'x', 'a.b.c'].map(token => tokens.claims(token))).toEqual([true, false, false, false, false]);
      const verifier = new JoseTokenVerifier({ issuer: authority.issuer, audience: 'packs-registry' });
      await expect(verifier.verify(own)).rejects.toMatchObject({ code: 'ERR_PACK_AUTHENTICATION' });
      await expect(tokens.verify(foreign)).rejects.toMatchObject({ code: 'ERR_PACK_AUTHENTICATION' });
    } finally {
      await authority.stop();
    }
  });

  it.each<[string, () => string, RegExp]>([
    ['nothing', () => '', /holds no private key/],
    ['a public key', () => createPublicKey(p256()).export({ type: 'spki', format: 'pem' }).toString(), /no private key/],
    ['another curve', () => pemOf(generateKeyPairSync('ec', { namedCurve: 'P-384' }).privateKey), /neither a P-256 nor an Ed25519/],
    [
      'an RSA key behind a good one',
      () => pemOf(p256()) + pemOf(generateKeyPairSync('rsa', { modulusLength: 2048 }).privateKey),
      /key 2 of/,
    ],
    ['a damaged key', () => pemOf(p256()).replace(/\n[^-]{20}/, '\nAAAA'), /no private key/],
  ])('does not open with a file that holds %s', async (_, content, message) => {
    await expect(tokensBy(content())).rejects.toThrow(message);
  });

  it('does not open without a file', async () => {
    await expect(JoseRegistryTokens.open(join(folder, 'absent.pem'), clock)).rejects.toThrow(/absent.pem cannot be read/);
  });
});
