import { generateKeyPairSync, type KeyObject } from 'node:crypto';
import { mkdir, open, rm } from 'node:fs/promises';
import path from 'node:path';
import { DomainError, sha256, type Digest, type SignatureScheme } from '@packs/domain';

interface GeneratedKey {
  readonly privateKey: string;
  readonly publicKey: string;
  /** SHA-256 of the SubjectPublicKeyInfo. */
  readonly keyId: Digest;
  readonly scheme: SignatureScheme;
}

const RSA_BITS = 3072;

/**
 * Writes a new key pair as PKCS#8 and SubjectPublicKeyInfo PEM. Never over an existing file.
 * @throws DomainError ERR_PACK_CONFLICT
 */
export async function generateKey(dir: string, name: string, scheme: SignatureScheme): Promise<GeneratedKey> {
  const { privateKey, publicKey } = makePair(scheme);
  const made = { privateKey: path.join(dir, `${name}.key.pem`), publicKey: path.join(dir, `${name}.pub.pem`) };
  await mkdir(dir, { recursive: true });
  await writeNew(made.privateKey, privateKey.export({ type: 'pkcs8', format: 'pem' }), 0o600);
  try {
    await writeNew(made.publicKey, publicKey.export({ type: 'spki', format: 'pem' }), 0o644);
  } catch (error) {
    await rm(made.privateKey);
    throw error;
  }
  return { ...made, keyId: sha256(publicKey.export({ type: 'spki', format: 'der' })), scheme };
}

function makePair(scheme: SignatureScheme): { privateKey: KeyObject; publicKey: KeyObject } {
  switch (scheme) {
    case 'ecdsa-p256-sha256':
      return generateKeyPairSync('ec', { namedCurve: 'P-256' });
    case 'ecdsa-p384-sha384':
      return generateKeyPairSync('ec', { namedCurve: 'P-384' });
    case 'ed25519':
      return generateKeyPairSync('ed25519');
    case 'rsa-pkcs1-sha256':
    case 'rsa-pss-sha256':
      return generateKeyPairSync('rsa', { modulusLength: RSA_BITS });
  }
}

async function writeNew(file: string, content: string | Buffer, mode: number): Promise<void> {
  const handle = await open(file, 'wx', mode).catch((cause: NodeJS.ErrnoException) => {
    throw cause.code === 'EEXIST' ? new DomainError('ERR_PACK_CONFLICT', `${file} is already there`, { cause }) : cause;
  });
  try {
    await handle.writeFile(content);
  } finally {
    await handle.close();
  }
}
