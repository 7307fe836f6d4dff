import { createHmac, generateKeyPairSync, sign } from 'node:crypto';
import { aKey, LocalAuthority, type SigningKey } from './authority.fixture';
import { JoseTokenVerifier } from './jose-token-verifier';

const AUDIENCE = 'packs-registry';
const now = (): number => Math.floor(Date.now() / 1000);
const encode = (value: unknown): string => Buffer.from(typeof value === 'string' ? value : JSON.stringify(value)).toString('base64url');

/** Signs whatever it is given, well formed or not. */
class Forger {
  readonly pair = generateKeyPairSync('rsa', { modulusLength: 2048 });

  constructor(readonly kid: string) {}

  get jwk(): object {
    return { ...this.pair.publicKey.export({ format: 'jwk' }), kid: this.kid, alg: 'RS256', use: 'sig' };
  }

  sign(header: unknown, payload: unknown): string {
    const message = `${encode(header)}.${encode(payload)}`;
    return `${message}.${sign('sha256', Buffer.from(message), this.pair.privateKey).toString('base64url')}`;
  }
}

describe('a token of the Authority', () => {
  const own = new Forger('own');
  const evil = new Forger('evil');
  let authority: LocalAuthority;
  let verifier: JoseTokenVerifier;

  beforeEach(async () => {
    authority = await LocalAuthority.start();
    authority.keys = [own.jwk];
    verifier = new JoseTokenVerifier({ issuer: authority.issuer, audience: AUDIENCE });
  });

  afterEach(async () => {
    jest.restoreAllMocks();
    await authority.stop();
  });

  const header = (changes: object = {}) => ({ alg: 'RS256', kid: 'own', typ: 'at+jwt', ...changes });
  const payload = (changes: object = {}) => ({
    iss: authority.issuer,
    aud: AUDIENCE,
    sub: 'alice',
    iat: now(),
    exp: now() + 600,
    scope: 'packs.read',
    tenant: 'acme',
    ...changes,
  });
  const refused = (token: string) =>
    expect(verifier.verify(token)).rejects.toMatchObject({ code: 'ERR_PACK_AUTHENTICATION', retry: 'never' });
  const fetches = () => authority.requests.filter(path => path === '/jwks').length;

  it.each([undefined, 'JWT', 'at+jwt', 'AT+JWT', 'application/at+jwt'])('of the type %s is taken', async typ => {
    expect(await verifier.verify(own.sign(header({ typ }), payload()))).toMatchObject({ subject: 'alice', tenant: 'acme' });
  });

  it.each(['id_token+jwt', 'logout+jwt', 'dpop+jwt', 'secevent+jwt', 'registry+jwt', ''])('of the type %j is refused', async typ => {
    await refused(own.sign(header({ typ }), payload()));
  });

  it.each(['none', 'None', 'nOnE', 'NONE', ''])('with the algorithm %j is refused, signed or not', async alg => {
    const message = `${encode(header({ alg }))}.${encode(payload())}`;
    for (const signature of ['', 'AA', own.sign(header(), payload()).split('.')[2]]) await refused(`${message}.${signature}`);
  });

  it.each(['HS256', 'HS384', 'HS512'])('with %s and a published key for its secret is refused', async alg => {
    const message = `${encode(header({ alg }))}.${encode(payload())}`;
    const pem = own.pair.publicKey.export({ type: 'spki', format: 'pem' }).toString();
    const der = own.pair.publicKey.export({ type: 'spki', format: 'der' });
    for (const secret of [pem, pem.trim(), der, JSON.stringify(own.jwk), '']) {
      const signature = createHmac(alg.replace('HS', 'sha'), secret).update(message).digest('base64url');
      await refused(`${message}.${signature}`);
    }
  });

  it('with a symmetric key among the published ones is refused', async () => {
    authority.keys.push({ kty: 'oct', k: encode('secret'), kid: 'shared', alg: 'HS256' });
    const message = `${encode(header({ alg: 'HS256', kid: 'shared' }))}.${encode(payload())}`;
    await refused(`${message}.${createHmac('sha256', 'secret').update(message).digest('base64url')}`);
  });

  it.each([
    ['a path', '../../../../dev/null'],
    ['an address', 'https://evil.test/key'],
    ['SQL', "own' UNION SELECT 'secret' --"],
    ['a command', 'own; cat /etc/passwd'],
    ['a name that every object has', '__proto__'],
    ['a zero byte', 'own\0'],
    ['a list', ['own']],
    ['an object', { toString: 'own' }],
    ['a number', 0],
  ])('whose key id is %s is refused', async (_, kid) => {
    await refused(evil.sign(header({ kid }), payload()));
  });

  it.each<[string, () => object]>([
    ['jwk', () => ({ jwk: evil.jwk })],
    ['jku', () => ({ jku: `${authority.issuer}/evil.json` })],
    ['x5u', () => ({ x5u: `${authority.issuer}/evil.pem` })],
    ['x5c', () => ({ x5c: [evil.pair.publicKey.export({ type: 'spki', format: 'der' }).toString('base64')] })],
  ])('that brings its own key as %s is refused, and nothing is fetched for it', async (_, changes) => {
    for (const kid of ['own', 'evil', undefined]) await refused(evil.sign(header({ kid, ...changes() }), payload()));
    expect(new Set(authority.requests)).toEqual(new Set(['/.well-known/openid-configuration', '/jwks']));
  });

  it.each<[string, () => object]>([
    ['another issuer', () => ({ iss: 'https://evil.test' })],
    ['its issuer with a slash', () => ({ iss: `${authority.issuer}/` })],
    ['a list of issuers', () => ({ iss: [authority.issuer] })],
    ['another audience', () => ({ aud: 'packs-registry.evil.test' })],
    ['a list without the audience', () => ({ aud: ['other', ''] })],
    ['no audience', () => ({ aud: undefined })],
    ['an end that has passed', () => ({ exp: now() - 60 })],
    ['an end in text', () => ({ exp: String(now() + 600) })],
    ['no end', () => ({ exp: undefined })],
    ['a beginning that is to come', () => ({ nbf: now() + 60 })],
    ['a beginning in text', () => ({ nbf: '0' })],
    ['a making that is to come', () => ({ iat: now() + 60 })],
    ['a making in text', () => ({ iat: 'now' })],
    ['no subject', () => ({ sub: undefined })],
  ])('with %s is refused', async (_, changes) => {
    await refused(own.sign(header(), payload(changes())));
  });

  it.each([
    ['names an extension nobody knows', { crit: ['http://evil.test/ext'], 'http://evil.test/ext': true }],
    ['names one that is not there', { crit: ['exp'] }],
    ['is empty', { crit: [] }],
    ['is no list', { crit: 'b64' }],
    ['asks for a payload that is not encoded', { crit: ['b64'], b64: false }],
  ])('whose crit %s is refused', async (_, changes) => {
    await refused(own.sign(header(changes), payload()));
  });

  it.each<[string, (parts: readonly string[]) => string]>([
    ['padded', ([h, p, s]) => `${h}=.${p}.${s}`],
    ['with a line feed in its signature', ([h, p, s = '']) => `${h}.${p}.${s.slice(0, 9)}\n${s.slice(9)}`],
    ['with a space behind it', parts => `${parts.join('.')} `],
    ['with spare bits in its signature', ([h, p, s = '']) => `${h}.${p}.${s.slice(0, -1)}${spare(s)}`],
    ['in the alphabet of base64', ([h, p, s = '']) => `${h}.${p}.${s.replaceAll('-', '+').replaceAll('_', '/')}=`],
    ['with a fourth part', parts => `${parts.join('.')}.`],
    ['of five parts, as if encrypted', parts => `${parts.join('.')}.AA.AA`],
    ['without its signature', ([h, p]) => `${h}.${p}.`],
    ['as JSON', ([h, p, s]) => JSON.stringify({ protected: h, payload: p, signature: s })],
  ])('%s is refused', async (_, spell) => {
    const token = own.sign(header(), payload());
    expect(await verifier.verify(token)).toMatchObject({ subject: 'alice' });
    await refused(spell(token.split('.')));
  });

  it.each<[string, string, () => string]>([
    ['an algorithm twice in its header', '{"alg":"none","alg":"RS256","kid":"own"}', () => JSON.stringify(payload())],
    ['a tenant twice', '{"alg":"RS256","kid":"own"}', () => JSON.stringify(payload()).replace('{', '{"tenant":"globex",')],
    [
      'a scope twice, once escaped',
      '{"alg":"RS256","kid":"own"}',
      () => JSON.stringify(payload()).replace('{', '{"\\u0073cope":"packs.admin",'),
    ],
    ['no object', '{"alg":"RS256","kid":"own"}', () => '["acme"]'],
    ['what is no JSON', '{"alg":"RS256","kid":"own"}', () => 'tenant=acme'],
    ['a byte order mark', '{"alg":"RS256","kid":"own"}', () => `\ufeff${JSON.stringify(payload())}`],
    [
      'a hundred levels',
      '{"alg":"RS256","kid":"own"}',
      () => JSON.stringify(payload()).replace('}', `,"deep":${'['.repeat(100)}${']'.repeat(100)}}`),
    ],
  ])('that holds %s is refused, though the Authority signed it', async (_, head, body) => {
    await refused(own.sign(head, body()));
  });

  it('is refused for a key that is published for another algorithm, or to encrypt with', async () => {
    const other: SigningKey = await aKey('ps', 'PS256');
    authority.keys.push({ ...other.jwk, alg: 'RS256' }, { ...other.jwk, kid: 'enc', use: 'enc' });
    await refused(await authority.token(other));
    await refused(await authority.token({ ...other, kid: 'enc' }));
  });

  it('of 8 KiB and one byte is refused, however well it is signed', async () => {
    const base = own.sign(header(), payload({ pad: '' })).length;
    await refused(own.sign(header(), payload({ pad: 'x'.repeat(Math.ceil(((8193 - base) * 3) / 4) + 3) })));
    expect(authority.requests).toEqual([]);
  });

  describe('with a key id that nobody knows', () => {
    const flood = (count: number) =>
      Promise.all(Array.from({ length: count }, (_, at) => refused(evil.sign(header({ kid: `k${at}` }), payload()))));
    const later = (ms: number) => {
      const moment = Date.now() + ms;
      jest.spyOn(Date, 'now').mockImplementation(() => moment);
    };

    it('has the keys fetched once in a cool-down, however many come at once', async () => {
      await verifier.check();
      expect(fetches()).toBe(1);
      await flood(30);
      expect(fetches()).toBe(1);
      for (const round of [1, 2]) {
        later(6_000);
        await flood(30);
        await flood(10);
        expect(fetches()).toBe(1 + round);
      }
    });

    it('has them asked for once in a cool-down of an Authority that is down as well', async () => {
      await verifier.check();
      later(6_000);
      authority.broken = '/jwks';
      for (let at = 0; at < 10; at++) {
        const asked = verifier.verify(evil.sign(header({ kid: `k${at}` }), payload()));
        await expect(asked).rejects.toMatchObject({ code: 'ERR_PACK_UNAVAILABLE' });
      }
      expect(fetches()).toBe(2);
      expect(await verifier.verify(own.sign(header(), payload()))).toMatchObject({ subject: 'alice' });
      authority.broken = undefined;
      later(6_000);
      await flood(1);
      expect(fetches()).toBe(3);
    });
  });
});

/** The last character of a signature of 256 bytes has four bits that mean nothing. */
function spare(signature: string): string {
  const alphabet = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_';
  return alphabet[alphabet.indexOf(signature.at(-1) ?? '') + 1] ?? '';
}
