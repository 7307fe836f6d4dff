import { createPublicKey, generateKeyPairSync } from 'node:crypto';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { readPrivateFile, writePrivateFile } from './private-file';

const NAME = 'kit-signing';

/** The key a local stack signs its offline kits with, made once; its public half lies beside it, for those who are to take the kits. */
export function ensureKitKey(folder: string): string {
  const file = join(folder, `${NAME}.key.pem`);
  const known = readPrivateFile(file);
  const pem = known ?? generateKeyPairSync('ec', { namedCurve: 'P-256' }).privateKey.export({ type: 'pkcs8', format: 'pem' }).toString();
  if (known === undefined) writePrivateFile(file, pem);
  writeFileSync(kitPublicKeyFile(folder), createPublicKey(pem).export({ type: 'spki', format: 'pem' }));
  return file;
}

function kitPublicKeyFile(folder: string): string {
  return join(folder, `${NAME}.pub.pem`);
}
