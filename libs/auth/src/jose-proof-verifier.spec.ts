import { aProof, aProofKey, FixedClock, hashOf, type ProofKey } from '@packs/testing';
import { calculateJwkThumbprint, exportJWK, type JWTPayload } from 'jose';
import { JoseProofVerifier } from './jose-proof-verifier';

const URL = 'https://packs.test/v2/acme/tool/manifests/1.0.0';
const TOKEN = 'the.access.token';

describe('JoseProofVerifier', () => {
  const clock = new FixedClock();
  const now = clock.now().getTime() / 1000;
  const verifier = new JoseProofVerifier(clock);
  const request = { method: 'GET', url: URL, accessToken: TOKEN };
  let key: ProofKey;
  beforeAll(async () => {
    key = await aProofKey();
  });
  const proof = (changes: JWTPayload = {}, header = {}) =>
    aProof(key, { htm: 'GET', htu: URL, ath: hashOf(TOKEN), iat: now, ...changes }, header);
  const refusal = (message: RegExp) => ({ code: 'ERR_PACK_AUTHENTICATION', message: expect.stringMatching(message) as string });

  it.each(['ES256', 'EdDSA', 'RS256', 'PS256'])('says whose key made a proof by %s', async alg => {
    const other = await aProofKey(alg);
    const made = await aProof(other, { htm: 'GET', htu: URL, ath: hashOf(TOKEN), iat: now });
    expect((await verifier.verify(made, request)).keyThumbprint).toBe(await calculateJwkThumbprint(other.jwk));
  });

  it('gives each key and jti an id of their own', async () => {
    const other = await aProofKey();
    const claims = { htm: 'GET', htu: URL, ath: hashOf(TOKEN), iat: now, jti: 'one' };
    const ids = [
      await aProof(key, claims),
      await aProof(key, claims),
      await aProof(key, { ...claims, jti: 'two' }),
      await aProof(other, claims),
    ];
    const [one, again, two, others] = await Promise.all(ids.map(async made => (await verifier.verify(made, request)).id));
    expect(again).toBe(one);
    expect(new Set([one, two, others]).size).toBe(3);
  });

  it.each([-60, 0, 60])('takes one made %i seconds from now', async seconds => {
    await expect(verifier.verify(await proof({ iat: now + seconds }), request)).resolves.toBeDefined();
  });

  it('compares addresses as URLs, without query and fragment', async () => {
    for (const htu of ['HTTPS://PACKS.test:443/v2/acme/tool/manifests/1.0.0', `${URL}?n=1`, `${URL}#x`]) {
      await expect(verifier.verify(await proof({ htu }), request)).resolves.toBeDefined();
    }
  });

  it('asks for no hash of a token where none came', async () => {
    await expect(verifier.verify(await proof({ ath: undefined }), { method: 'GET', url: URL })).resolves.toBeDefined();
  });

  it.each<[string, JWTPayload, RegExp]>([
    ['for another method', { htm: 'POST' }, /htm/],
    ['for no method', { htm: undefined }, /htm/],
    ['for another path', { htu: `${URL}0` }, /htu/],
    ['for another host', { htu: URL.replace('packs', 'evil') }, /htu/],
    ['for another protocol', { htu: URL.replace('https', 'http') }, /htu/],
    ['for no address', { htu: undefined }, /htu/],
    ['for something that is no address', { htu: 'packs' }, /htu/],
    ['for another token', { ath: hashOf('another') }, /ath/],
    ['for no token', { ath: undefined }, /ath/],
    ['that is too old', { iat: now - 61 }, /iat/],
    ['from the future', { iat: now + 61 }, /iat/],
    ['of no time', { iat: undefined }, /iat/],
    ['of a time that is no number', { iat: 'now' as never }, /valid|iat/],
    ['without jti', { jti: undefined }, /jti/],
    ['with an empty jti', { jti: '' }, /jti/],
    ['with a jti that is too long', { jti: 'x'.repeat(257) }, /jti/],
    ['that is too long', { padding: 'x'.repeat(4096) }, /too long/],
  ])('refuses one %s', async (_, changes, message) => {
    await expect(verifier.verify(await proof(changes), request)).rejects.toMatchObject(refusal(message));
  });

  it.each<[string, () => Promise<Record<string, unknown>>]>([
    ['another type', async () => ({ typ: 'JWT' })],
    ['no type', async () => ({ typ: undefined })],
    ['no key', async () => ({ jwk: undefined })],
    ['another key than it was made with', async () => ({ jwk: (await aProofKey()).jwk })],
    ['a private key', async () => ({ jwk: await exportJWK(key.privateKey) })],
    ['a symmetric key', async () => ({ jwk: { kty: 'oct', k: 'c2VjcmV0' } })],
  ])('refuses one with %s', async (_, header) => {
    await expect(verifier.verify(await proof({}, await header()), request)).rejects.toMatchObject(refusal(/not valid/));
  });

  it.each(['', 'a', 'a.b.c', 'one.two, three.four'])('refuses %j', async text => {
    await expect(verifier.verify(text, request)).rejects.toMatchObject(refusal(/not valid/));
  });
});
