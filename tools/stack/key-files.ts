import { createPublicKey, generateKeyPairSync } from 'node:crypto';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { readPrivateFile, writePrivateFile } from './private-file';

/** The key a local stack signs its offline kits with, made once; its public half lies beside it, for those who are to take the kits. */
export function ensureKitKey(folder: string): string {
  const { file, pem } = ensureKey(join(folder, 'kit-signing.key.pem'));
  writeFileSync(join(folder, 'kit-signing.pub.pem'), createPublicKey(pem).export({ type: 'spki', format: 'pem' }));
  return file;
}

/** The key a local stack signs tokens for /v2 with, made once. */
export function ensureTokenKey(folder: string): string {
  return ensureKey(join(folder, 'token-signing.key.pem')).file;
}

function ensureKey(file: string): { readonly file: string; readonly pem: string } {
  const known = readPrivateFile(file);
  const pem = known ?? generateKeyPairSync('ec', { namedCurve: 'P-256' }).privateKey.export({ type: 'pkcs8', format: 'pem' }).toString();
  if (known === undefined) writePrivateFile(file, pem);
  return { file, pem };
}
