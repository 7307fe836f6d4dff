import { generateKeyPairSync } from 'node:crypto';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { KIT_PREDICATE_TYPE } from '@packs/contracts';
import { canonicalJson, sha256, type TrustedKey } from '@packs/domain';
import { KeyFileSigner, trustedKeyFromPem } from '@packs/sigstore';
import type { TestKit } from './a-kit';

export interface Exporter {
  readonly key: TrustedKey;
  sign(kit: Buffer, manifest: TestKit['manifest']): Promise<Buffer>;
}

/** Somebody who signs kits. */
export async function anExporter(name: string): Promise<Exporter> {
  const folder = mkdtempSync(join(tmpdir(), 'packs-exporter-'));
  const { publicKey, privateKey } = generateKeyPairSync('ed25519');
  const file = join(folder, 'key.pem');
  writeFileSync(file, privateKey.export({ type: 'pkcs8', format: 'pem' }), { mode: 0o600 });
  const signer = await KeyFileSigner.open(file);
  rmSync(folder, { recursive: true });
  return {
    key: trustedKeyFromPem(name, publicKey.export({ type: 'spki', format: 'pem' }).toString()),
    sign: (kit, manifest) =>
      signer.sign({
        subjects: [
          { name: 'kit.tar', digest: sha256(kit) },
          { name: 'manifest.json', digest: sha256(canonicalJson(manifest)) },
        ],
        predicateType: KIT_PREDICATE_TYPE,
        predicate: {},
      }),
  };
}
