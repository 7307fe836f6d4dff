import { createPublicKey, generateKeyPairSync } from 'node:crypto';
import { readFileSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { readPrivateFile, writePrivateFile } from './private-file';

const NAME = 'kit-signing';

/** The key a local stack signs its offline kits with, made once; its public half lies beside it, for those who are to take the kits. */
export function ensureKitKey(folder: string): string {
  const file = join(folder, `${NAME}.key.pem`);
  const known = readPrivateFile(file);
  const pem = known ?? generateKeyPairSync('ec', { namedCurve: 'P-256' }).privateKey.export({ type: 'pkcs8', format: 'pem' }).toString();
  if (known === undefined) writePrivateFile(file, pem);
  writePublicKey(pem, folder);
  return file;
}

/** The public half of the key that kits are signed with, by whomever it was made. */
export function kitPublicKeyFile({ dataDir, kitKeyFile }: { readonly dataDir: string; readonly kitKeyFile: string }): string {
  // A relative name means what it means to the processes, which run there.
  return writePublicKey(readFileSync(resolve(dataDir, kitKeyFile), 'utf8'), join(dataDir, 'keys'));
}

function writePublicKey(pem: string, folder: string): string {
  const file = join(folder, `${NAME}.pub.pem`);
  writeFileSync(file, createPublicKey(pem).export({ type: 'spki', format: 'pem' }));
  return file;
}
