import { randomUUID } from 'node:crypto';
import { newEvent, VisibilityUpdated, type EventEnvelope, type ProcessName } from '@packs/contracts';
import {
  encodeAttestationManifest,
  encodePackConfig,
  encodePackManifest,
  encodeSignatureManifest,
  MEDIA_TYPES,
  packTypeOf,
  sha256,
  verdictHash,
  type PackManifest,
  type PackMetadata,
  type Verdict,
} from '@packs/domain';
import type { NewVersion, RegistryTx, StoredBlob } from '@packs/ports';
import { aPack, testDatabase, type TestDatabase } from '@packs/testing';
import { Client } from 'pg';
import type { DataSource } from 'typeorm';
import { PostgresContentCatalog } from './content-catalog';
import { createDataSource } from './data-source';
import { PostgresRegistryUnitOfWork } from './registry/registry-unit-of-work';

/** A migrated database and everything a spec opened on it. */
export class SpecDatabase {
  private readonly opened: { close(): Promise<unknown> }[] = [];

  private constructor(readonly database: TestDatabase) {}

  static async open(content?: 'blank'): Promise<SpecDatabase> {
    return new SpecDatabase(await testDatabase(content));
  }

  /** A process's pool. */
  async as(process: ProcessName, poolSize = 4): Promise<DataSource> {
    const dataSource = await createDataSource({ url: this.database.urlOf(process), applicationName: 'spec', poolSize }).initialize();
    this.opened.push({ close: () => dataSource.destroy() });
    return dataSource;
  }

  /** One bare connection, of a process or of the superuser. */
  async client(process?: ProcessName): Promise<Client> {
    const client = new Client({ connectionString: process ? this.database.urlOf(process) : this.database.adminUrl });
    client.on('error', () => undefined);
    await client.connect();
    this.opened.push({ close: () => client.end() });
    return client;
  }

  async close(): Promise<void> {
    for (const one of this.opened) await one.close();
    await this.database.drop();
  }
}

export function unitOfWorkOn(dataSource: DataSource): PostgresRegistryUnitOfWork {
  return new PostgresRegistryUnitOfWork(dataSource, { committed: () => undefined, traceparent: () => null });
}

export function aStoredBlob(content: string): StoredBlob {
  const bytes = Buffer.from(content);
  return { digest: sha256(bytes), size: bytes.length, objectKey: randomUUID(), blockChecksums: 'AAAAAA==' };
}

export interface VersionChanges extends Partial<PackMetadata> {
  readonly tenant?: string;
  readonly channel?: string;
  readonly kind?: PackManifest['kind'];
  readonly publishedAt?: string;
  /** Contents of signatures; by key `release`. */
  readonly signatures?: readonly string[];
}

export const AT = '2026-01-17T08:00:00.000Z';

/** A version as the publisher hands it to its store. */
export function aVersion({
  tenant = 'acme',
  channel = 'edge',
  kind,
  publishedAt = AT,
  signatures = ['signed'],
  ...metadata
}: VersionChanges = {}): NewVersion {
  const manifest = aPack({ metadata, ...(kind && { kind }) });
  const unique = `${tenant} ${manifest.metadata.packId} ${manifest.metadata.version}`;
  const bundle = aStoredBlob(`bundle ${unique}`);
  const configBytes = encodePackConfig(manifest);
  const config = aStoredBlob(configBytes.toString());
  const ociManifest = encodePackManifest(
    manifest,
    { mediaType: MEDIA_TYPES.packConfig, digest: config.digest, size: config.size },
    { mediaType: MEDIA_TYPES.packBundle, digest: bundle.digest, size: bundle.size },
  );
  const subject = { mediaType: ociManifest.mediaType, digest: ociManifest.digest, size: ociManifest.size };
  const signed = signatures.map(text => {
    const blob = { ...aStoredBlob(`${text} ${unique}`), mediaType: MEDIA_TYPES.sigstoreBundle };
    const identity = { kind: 'key', name: 'release', keyId: sha256('key'), scheme: 'ed25519', signature: blob.digest } as const;
    return {
      blob,
      identity,
      manifest: encodeSignatureManifest({ mediaType: blob.mediaType, digest: blob.digest, size: blob.size }, subject),
    };
  });
  const verdict: Verdict = {
    schema: 'stellaops.io/verdict.v1',
    outcome: 'accepted',
    subject: { bundle: bundle.digest, config: config.digest },
    policy: { name: 'default', version: 1, digest: sha256('policy') },
    trust: { digest: sha256('trust'), epoch: 1 },
    evidence: signed.map(one => one.blob.digest),
    checks: [{ id: 'digest', outcome: 'pass', reason: 'ok' }],
    identities: signed.map(one => one.identity),
    evaluatedAt: publishedAt,
  };
  return {
    ...{ tenant, manifest, channel, bundle, config, ociManifest, verdict, publishedAt },
    type: packTypeOf(manifest),
    signatures: signed,
    verdictHash: verdictHash(verdict),
    actor: 'user:alice',
    source: 'stella/1.0',
    blobs: [
      config,
      ...[ociManifest, ...signed.map(one => one.manifest)].map(({ bytes }) => aStoredBlob(bytes.toString())),
      bundle as StoredBlob,
      ...signed.map(({ blob: { mediaType: _, ...blob } }) => blob),
    ],
  };
}

export async function publish(
  dataSource: DataSource,
  changes: VersionChanges = {},
): Promise<{ version: NewVersion; channelMoved: boolean }> {
  const version = aVersion(changes);
  const { channelMoved } = await unitOfWorkOn(dataSource).run(version.tenant, async tx => {
    await tx.packs.lockPack(version.tenant, version.manifest.metadata.packId, version.type);
    return tx.packs.addVersion(version);
  });
  return { version, channelMoved };
}

/** Trust material, a policy and an allow-list, so that a tenant has a row in every table there is. */
export async function setUpTrust(dataSource: DataSource, tenant: string): Promise<void> {
  const material = aStoredBlob(`trust of ${tenant}`);
  await new PostgresContentCatalog(dataSource).record([material]);
  await unitOfWorkOn(dataSource).run(tenant, async tx => {
    await tx.trust.state(tenant, 'update');
    await tx.trust.setMaterial(tenant, 1, material);
    const { digest } = material;
    const times = { validUntil: AT, importedAt: AT, importedBy: 'user:alice' };
    await tx.trustBundles.add(tenant, { version: 1, digest, document: material, material: digest, ...times });
    await tx.trust.addPolicy({ name: 'default', version: 1, rule: { keyRef: 'release' }, unsigned: 'reject' }, tenant, 'user:alice');
    await tx.trust.setShareWith(tenant, ['globex']);
  });
}

export function anEvent(tenant = 'acme', at = new Date(AT)): EventEnvelope {
  const data = { packId: null, version: null, actor: 'user:alice', tenant, source: null, signatures: [], metadataHash: sha256('state') };
  return newEvent(VisibilityUpdated, { ...data, shareWith: [] }, at);
}

export function appendEvent(dataSource: DataSource, event = anEvent()): Promise<void> {
  return unitOfWorkOn(dataSource).run(event.data.tenant, (tx: RegistryTx) => tx.outbox.append(event));
}

/** Attests a version by the policy that `setUpTrust` makes. */
export async function attest(
  dataSource: DataSource,
  { tenant, manifest, ociManifest: subject, verdict, verdictHash: hash }: NewVersion,
): Promise<void> {
  const { packId, version } = manifest.metadata;
  const predicateType = 'https://slsa.dev/provenance/v1';
  const stored = aStoredBlob(`attestation of ${tenant} ${packId} ${version}`);
  const document = { ...stored, mediaType: MEDIA_TYPES.dsseEnvelope };
  const referrer = encodeAttestationManifest(
    { mediaType: document.mediaType, digest: stored.digest, size: stored.size },
    subject,
    predicateType,
  );
  await unitOfWorkOn(dataSource).run(tenant, tx =>
    tx.attestations.add({
      ...{ tenant, packId, version, document, predicateType, referrer, verdict },
      subject: subject.digest,
      signers: [{ name: 'release', keyId: sha256('key'), scheme: 'ed25519' }],
      verdictHash: hash,
      addedAt: AT,
      actor: 'user:alice',
      source: null,
      blobs: [stored, aStoredBlob(referrer.bytes.toString())],
    }),
  );
}
