import { sha256 } from '@packs/domain';
import type { HeldImport, StoredBlob } from '@packs/ports';
import type { DataSource } from 'typeorm';
import { ulid } from 'ulid';
import { PostgresContentCatalog } from '../content-catalog';
import { unitOfWorkOn } from '../persistence.fixture';
import { PostgresKitQueue } from './kit-queue';

export const HOOKS = { committed: () => undefined, traceparent: () => null };

export function aBlob(name: string): StoredBlob {
  return { digest: sha256(name), size: name.length, objectKey: `object of ${name}`, blockChecksums: '' };
}

function refTo({ digest, size, objectKey }: StoredBlob) {
  return { digest, size, objectKey };
}

/** Queues an import of a kit that nobody uploaded. */
export async function queueImport(queue: PostgresKitQueue, tenant: string, name = 'a kit'): Promise<string> {
  const id = ulid();
  const request = { kit: refTo(aBlob(name)), signature: refTo(aBlob(`signature of ${name}`)), preflight: false, acceptTrust: false };
  await queue.add({ tenant, actor: 'user:alice', source: null }, id, { kind: 'import', request });
  return id;
}

/** A row of the tenant in every table that is about kits. */
export async function fillKits(worker: DataSource, publisher: DataSource, tenant: string): Promise<void> {
  const queue = new PostgresKitQueue(worker, HOOKS);
  await queueImport(queue, tenant, `kit of ${tenant}`);
  const job = await queue.claim('worker', 60_000);
  await queue.stage(job as HeldImport, [aBlob(`staged of ${tenant}`)]);
  const keys = aBlob(`exporters of ${tenant}`);
  await new PostgresContentCatalog(worker).record([keys]);
  await unitOfWorkOn(publisher).run(tenant, async tx => {
    const at = '2026-01-17T08:00:00.000Z';
    await tx.kits.setExporters(tenant, keys, 'user:alice', at);
    const imported = { log: sha256('log'), kit: sha256('kit'), generation: 1, exporter: sha256('exporter'), at, actor: 'user:alice' };
    await tx.kits.addImported(tenant, imported);
  });
}
