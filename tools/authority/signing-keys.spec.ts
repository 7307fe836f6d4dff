import { mkdtempSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createLocalJWKSet, jwtVerify, type JWK } from 'jose';
import { signAccessToken } from './sign-access-token';
import { loadSigningKeys, rotateSigningKeys } from './signing-keys';

describe('signing keys', () => {
  let folder: string;
  beforeEach(() => (folder = mkdtempSync(join(tmpdir(), 'keys-'))));
  afterEach(() => rmSync(folder, { recursive: true }));

  const claims = { issuer: 'http://issuer', audience: 'packs-registry', clientId: 'c', tenant: 'acme', scope: 'packs.read' };
  const published = () => ({ keys: loadSigningKeys(folder).map(({ kty, n, e, kid, alg, use }) => ({ kty, n, e, kid, alg, use }) as JWK) });
  const verify = (token: string) =>
    jwtVerify(token, createLocalJWKSet(published()), { issuer: 'http://issuer', audience: 'packs-registry' });

  it('stay the same over restarts, in a file for their owner only', () => {
    const first = loadSigningKeys(folder);
    expect(loadSigningKeys(folder)).toEqual(first);
    expect(statSync(join(folder, 'signing-keys.json')).mode & 0o777).toBe(0o600);
  });

  it('sign with the new key after a rotation while tokens of the one before still verify', async () => {
    const old = await signAccessToken(folder, { ...claims, expiresInSeconds: 60 });
    const [before] = loadSigningKeys(folder);
    const [now, previous] = rotateSigningKeys(folder);
    expect(previous).toEqual(before);
    expect(now?.kid).not.toBe(before?.kid);
    const fresh = await signAccessToken(folder, { ...claims, expiresInSeconds: 60 });
    expect((await verify(old)).protectedHeader.kid).toBe(before?.kid);
    expect((await verify(fresh)).protectedHeader.kid).toBe(now?.kid);
  });

  it('verify nothing after two rotations that an older key signed', async () => {
    const old = await signAccessToken(folder, { ...claims, expiresInSeconds: 60 });
    rotateSigningKeys(folder);
    rotateSigningKeys(folder);
    await expect(verify(old)).rejects.toThrow(/no applicable key/);
  });

  it('make tokens that are expired when asked to', async () => {
    await expect(verify(await signAccessToken(folder, { ...claims, expiresInSeconds: -60 }))).rejects.toThrow(/"exp" claim/);
  });
});
