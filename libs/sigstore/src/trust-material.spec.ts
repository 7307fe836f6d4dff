import { createPublicKey, generateKeyPairSync } from 'node:crypto';
import { DomainError, sha256 } from '@packs/domain';
import { keyIdOf } from './public-key';
import { pemOf } from './signer.fixture';
import { encodeTrustMaterial, MAX_TRUSTED_KEYS, parseTrustMaterial, readTrustMaterial, trustedKeyFromPem } from './trust-material';

const rsa = generateKeyPairSync('rsa', { modulusLength: 2048 });
const ec = generateKeyPairSync('ec', { namedCurve: 'P-256' });
const ed = generateKeyPairSync('ed25519');
const PEM = pemOf(ec.publicKey);

function errorOf(act: () => unknown): DomainError {
  try {
    act();
  } catch (error) {
    if (error instanceof DomainError) return error;
    throw error;
  }
  throw new Error('nothing was thrown');
}

const pem = (der: Buffer, label = 'PUBLIC KEY') => `-----BEGIN ${label}-----\n${der.toString('base64')}\n-----END ${label}-----\n`;
const derOf = (key: typeof ec.publicKey) => key.export({ type: 'spki', format: 'der' });

/** The same P-256 key with its point compressed (SEC 1 §2.3.3). */
function compressed(): Buffer {
  const der = derOf(ec.publicKey);
  const prefix = Buffer.from('3039301306072a8648ce3d020106082a8648ce3d030107032200', 'hex');
  return Buffer.concat([prefix, Buffer.of(2 + ((der.at(-1) ?? 0) & 1)), der.subarray(27, 59)]);
}

/** An RSA key without a private part, with the exponent 1. */
function exponentOne(): string {
  const { n } = rsa.publicKey.export({ format: 'jwk' });
  return pemOf(createPublicKey({ key: { kty: 'RSA', n, e: 'AQ' }, format: 'jwk' }));
}

describe('a trusted key', () => {
  it.each([
    ['RSA', rsa.publicKey, 'rsa-pkcs1-sha256'],
    ['ECDSA P-256', ec.publicKey, 'ecdsa-p256-sha256'],
    ['ECDSA P-384', generateKeyPairSync('ec', { namedCurve: 'P-384' }).publicKey, 'ecdsa-p384-sha384'],
    ['Ed25519', ed.publicKey, 'ed25519'],
  ])('of type %s gets its usual scheme', (_, key, scheme) => {
    expect(trustedKeyFromPem('release', pemOf(key))).toEqual({ name: 'release', publicKey: pemOf(key), scheme });
  });

  it('may be bound to RSA-PSS', () => {
    expect(trustedKeyFromPem('release', pemOf(rsa.publicKey), 'rsa-pss-sha256').scheme).toBe('rsa-pss-sha256');
  });

  it('is identified by the SHA-256 of its DER', () => {
    expect(keyIdOf(trustedKeyFromPem('release', PEM))).toBe(sha256(derOf(ec.publicKey)));
  });

  it.each([
    ['CRLF line ends', PEM.replaceAll('\n', '\r\n')],
    ['one long line', pem(derOf(ec.publicKey))],
    ['space around it', `\n  ${PEM}\n\n`],
    ['a compressed point', pem(compressed())],
  ])('with %s is the same key', (_, spelled) => {
    expect(trustedKeyFromPem('release', spelled).publicKey).toBe(PEM);
  });

  it.each([
    ['RSA with 1024 bits', pemOf(generateKeyPairSync('rsa', { modulusLength: 1024 }).publicKey)],
    ['RSA with the exponent 1', exponentOne()],
    ['P-521', pemOf(generateKeyPairSync('ec', { namedCurve: 'P-521' }).publicKey)],
    ['P-256 of Koblitz', pemOf(generateKeyPairSync('ec', { namedCurve: 'secp256k1' }).publicKey)],
    ['Ed448', pemOf(generateKeyPairSync('ed448').publicKey)],
    ['X25519', pemOf(generateKeyPairSync('x25519').publicKey)],
    ['RSASSA-PSS only', pemOf(generateKeyPairSync('rsa-pss', { modulusLength: 2048 }).publicKey)],
    ['PKCS#1', rsa.publicKey.export({ type: 'pkcs1', format: 'pem' }).toString()],
    ['a private key', ec.privateKey.export({ type: 'pkcs8', format: 'pem' }).toString()],
    ['an encrypted private key', pem(Buffer.from('secret'), 'ENCRYPTED SIGSTORE PRIVATE KEY')],
    ['a certificate', pem(derOf(ec.publicKey), 'CERTIFICATE')],
    ['two keys', PEM + pemOf(ed.publicKey)],
    ['text before the key', `owner: me\n${PEM}`],
    ['bytes after the key', pem(Buffer.concat([derOf(ec.publicKey), Buffer.of(0)]))],
    ['a point off the curve', pem(Buffer.concat([derOf(ec.publicKey).subarray(0, 27), Buffer.alloc(64, 1)]))],
    ['sloppy base64', PEM.replace('-----END', '=-----END')],
    ['nothing', ''],
    ['too long', PEM + '\n'.repeat(10) + 'A'.repeat(5000)],
  ])('is refused when it is %s', (_, text) => {
    const error = errorOf(() => trustedKeyFromPem('release', text));
    expect(error).toMatchObject({ code: 'ERR_PACK_TRUST_INVALID', errors: [{ pointer: '/publicKey' }] });
    expect(error.message).not.toContain(text.slice(30, 60) || '\0');
  });

  it.each(['', 'Release', 'a b', '-a', 'a'.repeat(65)])('is refused under the name %j', name => {
    expect(errorOf(() => trustedKeyFromPem(name, PEM)).errors).toMatchObject([{ pointer: '/name' }]);
  });

  it.each(['ed25519', 'rsa-pkcs1-sha256', 'hmac'])('of type ECDSA is refused under the scheme %s', scheme => {
    expect(errorOf(() => trustedKeyFromPem('release', PEM, scheme as 'ed25519')).errors).toMatchObject([{ pointer: '/scheme' }]);
  });
});

describe('trust material', () => {
  const second = pemOf(ed.publicKey);

  it('has one encoding whatever the order and spelling of its keys', () => {
    const one = parseTrustMaterial({
      keys: [
        { name: 'b', publicKey: PEM },
        { name: 'a', publicKey: second, scheme: 'ed25519' },
      ],
    });
    const other = parseTrustMaterial({
      keys: [
        { name: 'a', publicKey: second },
        { publicKey: PEM.replaceAll('\n', '\r\n'), name: 'b' },
      ],
    });
    expect(encodeTrustMaterial(one)).toEqual(encodeTrustMaterial(other));
    expect(readTrustMaterial(encodeTrustMaterial(one))).toEqual(one);
  });

  it('may be empty', () => {
    expect(encodeTrustMaterial(parseTrustMaterial({ keys: [] })).toString()).toBe('{"keys":[]}');
  });

  it.each([
    ['', null],
    ['', []],
    ['', { keys: [], extra: 1 }],
    ['/keys', {}],
    ['/keys', { keys: Array(MAX_TRUSTED_KEYS + 1).fill({}) }],
    ['/keys/0', { keys: ['key'] }],
    ['/keys/0', { keys: [{ name: 'a', publicKey: PEM, trusted: true }] }],
    ['/keys/0/name', { keys: [{ publicKey: PEM }] }],
    ['/keys/0/name', { keys: [{ name: 'A', publicKey: PEM }] }],
    ['/keys/0/publicKey', { keys: [{ name: 'a' }] }],
    [
      '/keys/1/publicKey',
      {
        keys: [
          { name: 'a', publicKey: PEM },
          { name: 'b', publicKey: 'no' },
        ],
      },
    ],
    [
      '/keys/1/publicKey',
      {
        keys: [
          { name: 'a', publicKey: PEM },
          { name: 'b', publicKey: PEM },
        ],
      },
    ],
    [
      '/keys/1/publicKey',
      {
        keys: [
          { name: 'a', publicKey: PEM },
          { name: 'b', publicKey: pem(compressed()) },
        ],
      },
    ],
    [
      '/keys/1/name',
      {
        keys: [
          { name: 'a', publicKey: PEM },
          { name: 'a', publicKey: second },
        ],
      },
    ],
    ['/keys/0/scheme', { keys: [{ name: 'a', publicKey: PEM, scheme: null }] }],
  ])('is refused with a pointer to %j', (pointer, value) => {
    const error = errorOf(() => parseTrustMaterial(value));
    expect(error).toMatchObject({ code: 'ERR_PACK_TRUST_INVALID', errors: [{ pointer }] });
  });

  it.each(['', 'keys', '{"keys":[],"keys":[]}'])('stored as %j is not read', text => {
    expect(errorOf(() => readTrustMaterial(Buffer.from(text))).code).toBe('ERR_PACK_TRUST_INVALID');
  });
});
