import type { KitVersion } from '@packs/contracts';
import { DomainError, EMPTY_JSON, sha256, type Digest } from '@packs/domain';
import type { InventoryBlob, InventoryReferrer, InventoryVersion, StoredBlob } from '@packs/ports';
import type { LoggedState } from './logged-state';

type Told = NonNullable<ReturnType<LoggedState['find']>>;
type Descriptor = KitVersion['config'];

interface Access {
  read(blob: StoredBlob): Promise<Buffer>;
  add(digest: Digest, source: StoredBlob | Buffer): void;
  /** Whether it would have been served then. */
  admits(referrer: InventoryReferrer): Promise<boolean>;
}

export function descriptorOf({ mediaType, digest, size }: Descriptor): Descriptor {
  return { mediaType, digest, size };
}

/** The signatures and attestations that a version had by then, each with the referrer that carries it. */
export async function describeReferrers(
  version: InventoryVersion,
  told: Told,
  access: Access,
): Promise<Pick<KitVersion, 'signatures' | 'attestations'>> {
  const signatures: KitVersion['signatures'] = [];
  const attestations: KitVersion['attestations'] = [];
  for (const referrer of version.referrers) {
    // A kit holds what its importer judges again.
    if (referrer.kind === 'referrer') continue;
    const carried = await open(referrer, access.read);
    const { digest } = carried.document;
    const attested = told.attestations.get(digest);
    const isSignature = referrer.kind === 'signature' && told.published.signatures.has(digest);
    if (!isSignature && attested?.referrer !== referrer.manifest.digest) continue;
    if (!(await access.admits(referrer))) continue;
    access.add(referrer.manifest.digest, referrer.manifest);
    access.add(digest, carried.document);
    access.add(carried.config.digest, carried.config.source);
    const manifest = { ...descriptorOf(referrer.manifest), artifactType: referrer.manifest.artifactType };
    const parts = { manifest, config: descriptorOf(carried.config), document: descriptorOf(carried.document) as never };
    if (isSignature) signatures.push(parts);
    else if (attested)
      attestations.push({ ...parts, predicateType: attested.predicateType, addedAt: attested.addedAt, addedBy: attested.addedBy });
  }
  return { signatures: byDocument(signatures), attestations: byDocument(attestations) };
}

function byDocument<T extends { readonly document: { readonly digest: string } }>(referrers: readonly T[]): T[] {
  return referrers.toSorted((a, b) => (a.document.digest < b.document.digest ? -1 : 1));
}

/** What a referrer's manifest holds: one layer, and a config, which is empty unless somebody else's tool has made it. */
async function open(
  { manifest, blobs }: InventoryReferrer,
  read: Access['read'],
): Promise<{ document: InventoryBlob; config: Descriptor & { source: StoredBlob | Buffer } }> {
  const { config, layers } = JSON.parse((await read(manifest)).toString('utf8')) as { config: Descriptor; layers: Descriptor[] };
  const [layer] = layers;
  const document = blobs.find(blob => blob.digest === layer?.digest);
  const source = config.digest === EMPTY_DIGEST ? EMPTY_JSON : blobs.find(blob => blob.digest === config.digest);
  if (!layer || !document || !source)
    throw new DomainError('ERR_PACK_CORRUPT', `the referrer ${manifest.digest} holds blobs that are not there`);
  return { document: { ...document, mediaType: layer.mediaType }, config: { ...config, source } };
}

const EMPTY_DIGEST: Digest = sha256(EMPTY_JSON);
