import { newEvent, PackReferrerAdded, type PutManifestReply } from '@packs/contracts';
import { DomainError, invalidManifest, MEDIA_TYPES, type Descriptor, type Digest, type EncodedManifest } from '@packs/domain';
import type { BlobStore, Clock, RegistryTx, RegistryUnitOfWork, StoredBlob, VersionByManifest } from '@packs/ports';
import type { AddAttestation } from '../add-attestation/add-attestation';
import { recordOf } from '../publish-pack/claim-version';
import { encodedOf } from '../publish-pack/open-claim';
import { blobsOf, carriedDocuments, type Carried, type CarriedDocuments } from './carried-documents';
import type { RotateSignature } from '../rotate-signature/rotate-signature';
import { addSignatures } from './add-signatures';
import type { CompletePending } from './complete-pending';
import { requireAll, whereabouts, type ReadManifest, type RecordedPush } from './put-manifest';
import { isDocument } from './read-document';
import { subjectOf, type ReferredSubject } from './referred-subject';

/** Referrers that a version may have before it is published. */
const MAX_WAITING_REFERRERS = 128;

interface Begin {
  readonly version: VersionByManifest;
  readonly subject: Descriptor;
  readonly blobs: ReadonlyMap<Digest, StoredBlob>;
}

interface Referrer extends ReferredSubject, CarriedDocuments {
  readonly request: RecordedPush;
  readonly encoded: EncodedManifest;
  readonly needed: readonly Digest[];
}

/**
 * Records what refers to a version of a pack. What was signed and attested is judged: about a published version at once, about one that waits as soon
 * as it suffices.
 */
export class PutReferrer {
  constructor(
    private readonly unitOfWork: RegistryUnitOfWork,
    private readonly blobs: BlobStore,
    private readonly clock: Clock,
    private readonly addAttestation: AddAttestation,
    private readonly rotateSignature: RotateSignature,
    private readonly completePending: CompletePending,
  ) {}

  async execute(request: RecordedPush, { bytes, parsed }: ReadManifest): Promise<PutManifestReply> {
    const { repository, manifest } = request;
    if (parsed.mediaType !== MEDIA_TYPES.ociManifest && parsed.mediaType !== MEDIA_TYPES.dockerManifest) {
      throw invalidManifest('Content-Type', 'of what refers to a pack is that of an image manifest');
    }
    const referred = subjectOf(request, parsed);
    const here = parsed.layers.filter(({ isForeign }) => !isForeign);
    const needed = [...(parsed.config ? [parsed.config] : []), ...here].map(({ digest }) => digest);
    const { version, subject, blobs } = await this.begin(request, referred.subject, needed);
    const isTagged = parsed.subject === null;
    const documents = await carriedDocuments(this.blobs, parsed.layers, { subject, stored: blobs, isTagged });
    const referrer = { request, ...referred, ...documents, needed, encoded: encodedOf(bytes, parsed, manifest.digest) };
    if (version.state === 'published') await this.judge(referrer, version.version);
    const stored = await this.store(referrer);
    const reply = { ...whereabouts(manifest), subject: parsed.subject?.digest ?? null };
    if (version.state === 'published') return { ...reply, state: 'stored', version: null };
    // Published by somebody else in between: what was signed and attested is judged as of then.
    if (stored.state === 'published') await this.judge(referrer, stored.version);
    const completed = await this.completePending.execute(request, repository, stored.version);
    if (completed === 'none') return { ...reply, state: 'stored', version: null };
    return { ...reply, state: completed, version: stored.version };
  }

  private begin({ tenant, repository }: RecordedPush, digest: Digest, needed: readonly Digest[]): Promise<Begin> {
    return this.unitOfWork.run(tenant, async tx => {
      const version = await requireVersion(tx, tenant, repository, digest);
      const manifest = await tx.repositories.manifest(tenant, repository, digest);
      if (!manifest) throw notAPack(digest);
      const blobs = await tx.repositories.blobs(tenant, repository, needed);
      requireAll(needed.filter(one => !blobs.has(one)));
      const { mediaType, size } = manifest;
      return { version, subject: { mediaType, digest, size }, blobs };
    });
  }

  private async judge(referrer: Referrer, version: string): Promise<void> {
    await this.attest(referrer, version);
    await addSignatures(this.rotateSignature, { ...referrer, version });
  }

  /** @throws DomainError ERR_PACK_ATTESTATION_INVALID with what an attestation was refused for */
  private async attest({ request, carried, encoded, blobs }: Referrer, version: string): Promise<void> {
    const { tenant, actor, source, repository: packId } = request;
    for (const { document, made } of carried) {
      if (document.kind === 'signature') continue;
      const carrier = { referrer: made ?? encoded, blobs };
      const reply = await this.addAttestation.execute({ tenant, actor, source, packId, version, attestation: document.blob }, carrier);
      if (reply.outcome !== 'rejected') continue;
      throw new DomainError('ERR_PACK_ATTESTATION_INVALID', reply.faults[0]?.message ?? 'the attestation was not accepted', {
        details: { digest: document.blob.digest, verdict: reply.verdictHash },
        errors: reply.faults,
      });
    }
  }

  private store(referrer: Referrer): Promise<VersionByManifest> {
    const { request, encoded, carried, needed, subject, tag, isOwn, blobs: newBlobs } = referrer;
    const { tenant, repository, actor } = request;
    const common = { tenant, repository, actor, at: this.clock.now().toISOString() };
    return this.unitOfWork.run(tenant, async tx => {
      await tx.repositories.lockPack(tenant, repository);
      const version = await requireVersion(tx, tenant, repository, subject);
      if (version.state === 'pending') await requireRoom(tx, request, subject);
      const manifest = recordOf(encoded, isOwn ? subject : null);
      const push = { ...common, manifest, taggedSubject: isOwn ? null : subject, tag, blobs: needed, newBlobs };
      const isNew = await tx.repositories.addReferrer(push);
      if (isNew && isOwn && version.state === 'published') await tellAdded(tx, request, version.version, push);
      for (const one of carried) await addMade(tx, common, one, subject);
      return version;
    });
  }
}

/** Whatever was verified has an event of its own. */
async function tellAdded(
  tx: RegistryTx,
  { tenant, actor, source, repository: packId }: RecordedPush,
  version: string,
  { manifest: { digest, artifactType, subject }, at }: Parameters<RegistryTx['repositories']['addReferrer']>[0],
): Promise<void> {
  if (subject === null || isDocument(artifactType)) return;
  const about = { manifestDigest: subject, referrer: digest, artifactType, addedAt: at };
  const data = { packId, version, actor, tenant, source, signatures: [], metadataHash: subject, ...about };
  await tx.outbox.append(newEvent(PackReferrerAdded, data, new Date(at)));
}

type Common = Pick<Parameters<RegistryTx['repositories']['addReferrer']>[0], 'tenant' | 'repository' | 'actor' | 'at'>;

async function addMade(tx: RegistryTx, common: Common, carried: Carried, subject: Digest): Promise<void> {
  if (!carried.made) return;
  const manifest = recordOf(carried.made, subject);
  await tx.repositories.addReferrer({ ...common, manifest, taggedSubject: null, tag: null, blobs: blobsOf(carried), newBlobs: [] });
}

/** @throws DomainError ERR_PACK_LIMIT */
export async function requireRoom(
  tx: RegistryTx,
  { tenant, repository, manifest }: Pick<RecordedPush, 'tenant' | 'repository'> & { readonly manifest: { readonly digest: Digest } },
  subject: Digest,
): Promise<void> {
  const referrers = await tx.repositories.referrers(tenant, repository, subject, MAX_WAITING_REFERRERS);
  if (referrers.length < MAX_WAITING_REFERRERS || referrers.some(({ digest }) => digest === manifest.digest)) return;
  throw new DomainError('ERR_PACK_LIMIT', `at most ${MAX_WAITING_REFERRERS} manifests refer to a version that waits for its signatures`);
}

async function requireVersion(tx: RegistryTx, tenant: string, packId: string, digest: Digest): Promise<VersionByManifest> {
  const version = await tx.repositories.versionOf(tenant, packId, digest);
  if (!version) throw notAPack(digest);
  return version;
}

function notAPack(digest: Digest): DomainError {
  return invalidManifest('/subject', `${digest} is no version of this pack: its repository takes packs and what refers to them`);
}
