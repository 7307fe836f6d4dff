import { readFile } from 'node:fs/promises';
import path from 'node:path';
import type { SignatureScheme, TrustedKey } from '@packs/domain';
import { trustedKeyFromPem } from '@packs/sigstore';

/** Public keys from PEM files, named after them; `scheme` where it is not the usual one of their type. */
export async function readKeys(files: readonly string[], scheme?: SignatureScheme): Promise<readonly TrustedKey[]> {
  return Promise.all(files.map(async file => trustedKeyFromPem(nameOf(file), await readFile(file, 'utf8'), scheme)));
}

function nameOf(file: string): string {
  const words =
    path
      .basename(file)
      .toLowerCase()
      .replace(/(?:\.pub)?\.(?:pem|pub|key)$/, '')
      .match(/[a-z0-9]+/g) ?? [];
  return words.join('-').slice(0, 64).replace(/-$/, '') || 'key';
}
