import { generateKeyPairSync } from 'node:crypto';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { KIT_PREDICATE_TYPE, type ImportReport, type ImportResult } from '@packs/contracts';
import { canonicalJson, sha256, type Digest, type TrustedKey } from '@packs/domain';
import {
  KitQueue,
  KitRecords,
  LeaseLost,
  type BlobRef,
  type HeldImport,
  type KitSettlingTx,
  type StoredBlob,
  type VersionName,
} from '@packs/ports';
import { KeyFileSigner, trustedKeyFromPem } from '@packs/sigstore';
import type { TestKit } from '@packs/testing';

/** A queue with one import, held until it is lost. */
export class OneImport extends KitQueue {
  readonly rows = new Map<Digest, StoredBlob>();
  lost = false;
  reported: ImportReport | undefined;
  result: ImportResult | undefined;

  async add(): Promise<void> {}
  async claim(): Promise<undefined> {}
  async renew(): Promise<void> {}
  async fixGeneration(): Promise<void> {}
  async release(): Promise<void> {}
  async retryLater(): Promise<void> {}
  async clear(): Promise<boolean> {
    return false;
  }

  async report(_job: HeldImport, report: ImportReport): Promise<void> {
    this.reported = report;
  }

  async staged(): Promise<ReadonlyMap<Digest, StoredBlob>> {
    return new Map(this.rows);
  }

  async stage(job: HeldImport, blobs: readonly StoredBlob[]): Promise<void> {
    if (this.lost) throw new LeaseLost(job);
    for (const blob of blobs) this.rows.set(blob.digest, blob);
  }

  async settle(_job: HeldImport, work: (tx: KitSettlingTx) => Promise<void>): Promise<void> {
    await work({
      exported: () => Promise.reject(new Error('no export')),
      imported: async result => void (this.result = result),
      fail: () => Promise.reject(new Error('not settled here')),
      outbox: { append: () => Promise.resolve() },
    });
  }
}

/** A registry that has nothing but what it is told to have. */
export class FewRecords extends KitRecords {
  known: (VersionName & { readonly manifestDigest: Digest })[] = [];
  earlier: { newest: number | null; isImported: boolean } = { newest: null, isImported: false };

  async isAuditComplete(): Promise<boolean> {
    return true;
  }
  async versions(): Promise<never[]> {
    return [];
  }
  async policies(): Promise<never[]> {
    return [];
  }
  async blobs(): Promise<ReadonlyMap<Digest, StoredBlob>> {
    return new Map();
  }
  async exporters(): Promise<BlobRef | null> {
    return null;
  }
  async published(): Promise<(VersionName & { readonly manifestDigest: Digest })[]> {
    return this.known;
  }
  async imported(): Promise<{ newest: number | null; isImported: boolean }> {
    return this.earlier;
  }
}

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
