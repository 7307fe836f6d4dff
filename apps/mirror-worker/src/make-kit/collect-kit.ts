import { KIT_SCHEMA, type KitManifest, type KitVersion, type Selection } from '@packs/contracts';
import {
  canonicalJson,
  DomainError,
  PACK_MANIFEST_MAX_BYTES,
  policyDigest,
  sha256,
  versionSortKey,
  type Digest,
  type SigningPolicy,
} from '@packs/domain';
import { documentDescriptor } from '@packs/pack-format';
import {
  readWhole,
  type AuditReadModel,
  type BlobStore,
  type InventoryVersion,
  type KitRecords,
  type PackInventory,
  type StoredBlob,
  type VersionRecord,
} from '@packs/ports';
import type { Admission, Trust } from '../admission/admission';
import type { KitRun } from '../work-kits/kit-run';
import { describeReferrers, descriptorOf } from './describe-referrers';
import { readLog } from './read-log';
import type { LoggedState } from './logged-state';

const PAGE = 100;

export interface CollectedKit {
  readonly manifest: KitManifest;
  readonly withdrawn: number;
  /** Where the bytes of each blob are: stored, or at hand. */
  readonly sources: ReadonlyMap<Digest, StoredBlob | Buffer>;
}

/**
 * Finds everything that belongs to a kit. Which versions, in what state, under what trust: the audit log says, up to the kit's generation. The
 * tables are asked only for what never changes, so the answer is the same whenever it is asked.
 */
export class CollectKit {
  constructor(
    private readonly audit: AuditReadModel,
    private readonly inventory: PackInventory,
    private readonly records: KitRecords,
    private readonly blobs: BlobStore,
    private readonly admission: Admission,
  ) {}

  async execute(tenant: string, selection: Selection, generation: number, run: KitRun): Promise<CollectedKit> {
    const { state, log, at } = await readLog(this.audit, tenant, generation, selection);
    const collection = new Collection(state);
    const trust = await this.trustAsOf(state, at);
    for await (const page of pagesOf(this.inventory.versions(tenant, selection, { retired: true }))) {
      run.check();
      await this.addPage(collection, tenant, page, trust);
    }
    const versions = collection.versions.toSorted((a, b) => (orderOf(a) < orderOf(b) ? -1 : 1));
    const policies = await this.addPolicies(collection, tenant);
    const materials = await this.addMaterials(collection);
    const used = new Set(versions.flatMap(version => version.channels));
    const manifest: KitManifest = {
      schema: KIT_SCHEMA,
      generation,
      source: { tenant, log },
      selection,
      trust: { epoch: trust.epoch, current: state.trust?.digest ?? null, shareWith: [...state.shareWith].toSorted(), materials, policies },
      channels: [...state.customChannels.values()].filter(({ name }) => used.has(name)).toSorted((a, b) => (a.name < b.name ? -1 : 1)),
      versions,
    };
    return { manifest, withdrawn: collection.withdrawn, sources: collection.sources };
  }

  private async trustAsOf({ trust }: LoggedState, at: string): Promise<Trust> {
    if (!trust) return { epoch: 0, digest: sha256(canonicalJson({ keys: [] })), material: null, at };
    const material = (await this.records.blobs([trust.digest])).get(trust.digest);
    if (!material) throw new DomainError('ERR_PACK_CORRUPT', `trust material ${trust.digest} is not there`);
    return { ...trust, material: { digest: material.digest, size: material.size, objectKey: material.objectKey }, at };
  }

  private async addPage(collection: Collection, tenant: string, page: readonly InventoryVersion[], trust: Trust): Promise<void> {
    const { state } = collection;
    const wanted = page.filter(({ packId, version }) => {
      const told = state.find(packId, version);
      return told !== undefined && state.isSelected(told);
    });
    const records = new Map((await this.records.versions(tenant, wanted)).map(record => [`${record.packId}@${record.version}`, record]));
    const trusted = await Promise.all(wanted.map(version => this.admission.admits(asOf(state, version), trust)));
    for (const [at, version] of wanted.entries()) {
      const record = records.get(`${version.packId}@${version.version}`);
      if (!record) throw new DomainError('ERR_PACK_CORRUPT', `${version.packId} ${version.version} has no record`);
      if (trusted[at]) collection.versions.push(await this.describe(collection, version, record, trust));
      else collection.withdrawn += 1;
    }
  }

  private async describe(collection: Collection, version: InventoryVersion, record: VersionRecord, trust: Trust): Promise<KitVersion> {
    const { state } = collection;
    const told = state.find(version.packId, version.version);
    const [config, bundle] = version.blobs;
    if (!told || !config || !bundle || told.published.manifestDigest !== version.manifest.digest) {
      throw new DomainError('ERR_PACK_CORRUPT', `${version.packId} ${version.version} is not what the audit log says of it`);
    }
    for (const blob of [version.manifest, config, bundle]) collection.sources.set(blob.digest, blob);
    const { signatures, attestations } = await describeReferrers(version, told, {
      read: blob => readWhole(this.blobs, blob, PACK_MANIFEST_MAX_BYTES),
      add: (digest, source) => void collection.sources.set(digest, source),
      admits: referrer => this.admission.admitsReferrer(version, referrer, trust),
    });
    const verdict = collection.document('verdict', record.verdict);
    if (verdict.digest !== record.verdictHash)
      throw new DomainError('ERR_PACK_CORRUPT', `the verdict ${record.verdictHash} is stored with other content`);
    if (record.verdict.policy) collection.policies.set(record.verdict.policy.digest, record.verdict.policy);
    collection.materials.add(record.verdict.trust.digest);
    const { packId, version: number, type, digest, publishedAt } = version;
    return {
      packId,
      version: number,
      type,
      digest,
      manifest: { ...descriptorOf(version.manifest), artifactType: PACK_ARTIFACT },
      config: descriptorOf(config),
      bundle: descriptorOf(bundle),
      channel: told.published.channel,
      channels: [...told.channels].toSorted(),
      headOf: state.headOf(packId, number),
      ...state.lifecycleOf(told),
      publishedAt,
      publishedBy: record.publishedBy,
      source: record.source,
      signatures,
      attestations,
      verdict,
    };
  }

  /** Those in force, and those that a verdict in the kit names. */
  private async addPolicies(collection: Collection, tenant: string): Promise<KitManifest['trust']['policies']> {
    const active = [...collection.state.policies.values()];
    const known = new Set(active.map(policyDigest));
    const named = [...collection.policies].filter(([digest]) => !known.has(digest)).map(([, name]) => name);
    const earlier = await this.records.policies(tenant, named);
    const listed = (policies: readonly SigningPolicy[], isActive: boolean) =>
      policies.map(policy => ({ ...collection.document('policy', policy), active: isActive }));
    return [...listed(active, true), ...listed(earlier, false)].toSorted((a, b) => (a.digest < b.digest ? -1 : 1));
  }

  private async addMaterials(collection: Collection): Promise<KitManifest['trust']['materials']> {
    const { trust } = collection.state;
    const wanted = [...new Set([...(trust ? [trust.digest] : []), ...collection.materials])].toSorted();
    const found = await this.records.blobs(wanted);
    return wanted.flatMap(digest => {
      const blob = found.get(digest);
      // The digest of no keys at all is that of a document nobody stored.
      if (!blob) return [];
      collection.sources.set(digest, blob);
      return [{ mediaType: documentDescriptor('trust', Buffer.alloc(0)).mediaType, digest, size: blob.size }];
    });
  }
}

/** An epoch that no version was ever accepted under. */
const NEVER = -1;

/** Signatures and attestations that came later say nothing about then, and what was accepted with others was not with those. */
function asOf(state: LoggedState, version: InventoryVersion): InventoryVersion {
  const told = state.find(version.packId, version.version);
  const { verification } = version;
  const signatures = verification.signatures.filter(({ digest }) => told?.published.signatures.has(digest));
  const attested = new Set([...(told?.attestations.values() ?? [])].map(({ referrer }) => referrer));
  const referrers = version.referrers.filter(({ kind, manifest }) => kind !== 'attestation' || attested.has(manifest.digest));
  const asksForLater = referrers.length < version.referrers.length && verification.policy?.require?.attestations !== undefined;
  const hadOthers = told?.rotated !== undefined || signatures.length < verification.signatures.length || asksForLater;
  const epoch = hadOthers ? NEVER : verification.epoch;
  return {
    ...version,
    referrers,
    verification: { ...verification, signatures, epoch, withdrawnEpoch: told?.standing?.withdrawnEpoch ?? undefined },
  };
}

const PACK_ARTIFACT = 'application/vnd.stellaops.pack.v1';

/** What has been found so far. */
class Collection {
  readonly versions: KitVersion[] = [];
  readonly sources = new Map<Digest, StoredBlob | Buffer>();
  readonly policies = new Map<Digest, { readonly name: string; readonly version: number }>();
  readonly materials = new Set<Digest>();
  withdrawn = 0;

  constructor(readonly state: LoggedState) {}

  document(kind: 'verdict' | 'policy', value: object) {
    const bytes = Buffer.from(canonicalJson(value));
    const descriptor = documentDescriptor(kind, bytes);
    this.sources.set(descriptor.digest, bytes);
    return descriptor;
  }
}

/** Packs in byte order, and each by precedence. */
function orderOf({ packId, version }: KitVersion): string {
  return `${packId}\n${versionSortKey(version)}`;
}

async function* pagesOf<T>(source: AsyncIterable<T>): AsyncGenerator<T[], void> {
  let page: T[] = [];
  for await (const item of source) {
    page.push(item);
    if (page.length < PAGE) continue;
    yield page;
    page = [];
  }
  if (page.length > 0) yield page;
}
