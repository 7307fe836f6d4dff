import { createPublicKey, generateKeyPairSync } from 'node:crypto';
import { readFileSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { readPrivateFile, writePrivateFile } from './private-file';

const KIT_KEY = 'kit-signing';

/** The key a local stack signs its offline kits with, made once; its public half lies beside it, for those who are to take the kits. */
export function ensureKitKey(folder: string): string {
  const file = ensureKey(join(folder, `${KIT_KEY}.key.pem`));
  writePublicKey(file, folder);
  return file;
}

/** The public half of the key that kits are signed with, by whomever it was made. */
export function kitPublicKeyFile({ dataDir, kitKeyFile }: { readonly dataDir: string; readonly kitKeyFile: string }): string {
  // A relative name means what it means to the processes, which run there.
  return writePublicKey(resolve(dataDir, kitKeyFile), join(dataDir, 'keys'));
}

/** The key a local stack signs tokens for /v2 with, made once. */
export function ensureTokenKey(folder: string): string {
  return ensureKey(join(folder, 'token-signing.key.pem'));
}

function ensureKey(file: string): string {
  if (readPrivateFile(file) === undefined) {
    const { privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
    writePrivateFile(file, privateKey.export({ type: 'pkcs8', format: 'pem' }).toString());
  }
  return file;
}

function writePublicKey(keyFile: string, folder: string): string {
  const file = join(folder, `${KIT_KEY}.pub.pem`);
  writeFileSync(file, createPublicKey(readFileSync(keyFile)).export({ type: 'spki', format: 'pem' }));
  return file;
}
