import { constants, createHash, generateKeyPairSync, sign, type KeyObject } from 'node:crypto';
import type { HashName } from './artifact-subject';
import { hashOf, NEEDS_BYTES, verifiesBytes, verifiesDigest } from './signed-digest';

const MESSAGE = Buffer.from('the bytes of a pack bundle');
const rsa = generateKeyPairSync('rsa', { modulusLength: 2048 });
const oddRsa = generateKeyPairSync('rsa', { modulusLength: 2049 });
const p256 = generateKeyPairSync('ec', { namedCurve: 'P-256' });
const p384 = generateKeyPairSync('ec', { namedCurve: 'P-384' });
const pssOf = (key: KeyObject, saltLength: number) => ({ key, padding: constants.RSA_PKCS1_PSS_PADDING, saltLength });
const digestOf = (hash: HashName, message = MESSAGE): Buffer => createHash(hash).update(message).digest();

/** [what, key, hash, PSS, signature of a message] */
const SIGNERS: readonly (readonly [string, KeyObject, HashName, boolean, (message: Buffer) => Buffer])[] = [
  ['RSA PKCS#1 v1.5', rsa.publicKey, 'sha256', false, message => sign('sha256', message, rsa.privateKey)],
  ['RSA PKCS#1 v1.5 with SHA-512', rsa.publicKey, 'sha512', false, message => sign('sha512', message, rsa.privateKey)],
  ['RSA-PSS', rsa.publicKey, 'sha256', true, message => sign('sha256', message, pssOf(rsa.privateKey, 32))],
  ['RSA-PSS without salt', rsa.publicKey, 'sha256', true, message => sign('sha256', message, pssOf(rsa.privateKey, 0))],
  ['RSA-PSS with the longest salt', rsa.publicKey, 'sha256', true, message => sign('sha256', message, pssOf(rsa.privateKey, 222))],
  ['RSA-PSS of 2049 bits', oddRsa.publicKey, 'sha256', true, message => sign('sha256', message, pssOf(oddRsa.privateKey, 32))],
  ['ECDSA P-256', p256.publicKey, 'sha256', false, message => sign('sha256', message, p256.privateKey)],
  ['ECDSA P-384', p384.publicKey, 'sha384', false, message => sign('sha384', message, p384.privateKey)],
  ['ECDSA P-384 with SHA-256', p384.publicKey, 'sha256', false, message => sign('sha256', message, p384.privateKey)],
];

describe.each(SIGNERS)('a signature by %s', (_, key, hash, pss, signed) => {
  it('is known by the digest alone', () => {
    for (let round = 0; round < 8; round++) expect(verifiesDigest(key, hash, digestOf(hash), signed(MESSAGE), pss)).toBe(true);
  });

  it('is not of another digest, nor by another kind of key', () => {
    const signature = signed(MESSAGE);
    expect(verifiesDigest(key, hash, digestOf(hash, Buffer.from('other')), signature, pss)).toBe(false);
    expect(verifiesDigest(key === rsa.publicKey ? oddRsa.publicKey : rsa.publicKey, hash, digestOf(hash), signature, pss)).toBe(false);
    expect(verifiesDigest(key === p256.publicKey ? p384.publicKey : p256.publicKey, hash, digestOf(hash), signature, pss)).toBe(false);
    if (key.asymmetricKeyType === 'rsa') expect(verifiesDigest(key, hash, digestOf(hash), signature, !pss)).toBe(false);
  });

  it('is none with any bit of it changed, nor longer or shorter', () => {
    const signature = signed(MESSAGE);
    for (let at = 0; at < signature.length; at += 3) {
      const changed = Buffer.from(signature);
      changed[at] = (changed[at] ?? 0) ^ (1 << (at % 8));
      expect([at, verifiesDigest(key, hash, digestOf(hash), changed, pss)]).toEqual([at, false]);
    }
    for (const other of [signature.subarray(1), signature.subarray(0, -1), Buffer.concat([signature, Buffer.of(0)]), Buffer.alloc(0)]) {
      expect(verifiesDigest(key, hash, digestOf(hash), other, pss)).toBe(false);
    }
  });
});

it('of RSA that begins with a zero is none without it', () => {
  const signed = (at: number): Buffer => sign('sha256', Buffer.from(`message ${at}`), rsa.privateKey);
  let at = 0;
  while (signed(at)[0] !== 0) at++;
  const digest = digestOf('sha256', Buffer.from(`message ${at}`));
  expect(verifiesDigest(rsa.publicKey, 'sha256', digest, signed(at))).toBe(true);
  expect(verifiesDigest(rsa.publicKey, 'sha256', digest, signed(at).subarray(1))).toBe(false);
});

describe('Ed25519', () => {
  const { publicKey, privateKey } = generateKeyPairSync('ed25519');

  it('needs the bytes, and is known by them', () => {
    const signature = sign(null, MESSAGE, privateKey);
    expect(verifiesDigest(publicKey, 'sha256', digestOf('sha256'), signature)).toBe(NEEDS_BYTES);
    expect(verifiesBytes(publicKey, 'none', MESSAGE, signature)).toBe(true);
    expect(verifiesBytes(publicKey, 'none', Buffer.from('other'), signature)).toBe(false);
  });
});

describe('the hash of a key', () => {
  it.each([
    ['P-256', p256.publicKey, 'sha256'],
    ['P-384', p384.publicKey, 'sha384'],
    ['P-521', generateKeyPairSync('ec', { namedCurve: 'P-521' }).publicKey, undefined],
    ['RSA 2048', rsa.publicKey, 'sha256'],
    ['RSA 1024', generateKeyPairSync('rsa', { modulusLength: 1024 }).publicKey, undefined],
    ['Ed25519', generateKeyPairSync('ed25519').publicKey, 'none'],
    ['X25519', generateKeyPairSync('x25519').publicKey, undefined],
  ])('%s is %s', (_, key, hash) => {
    expect(hashOf(key)).toBe(hash);
  });
});
