import { DomainError, type EncodedManifest } from '@packs/domain';
import {
  readWhole,
  type BlobStore,
  type PendingVersion,
  type RecordedManifest,
  type RegistryUnitOfWork,
  type StoredBlob,
} from '@packs/ports';
import { parseManifest, type ParsedManifest } from '../put-manifest/parse-manifest';
import { isDocument, readDocument, type CarriedDocument } from '../put-manifest/read-document';
import type { SubmittedArtifact, SubmittedAttestation, SubmittedSignature } from './submission';

/** Referrers of one version that are looked at; the newest. */
const MAX_REFERRERS = 256;
export const PACK_MANIFEST_MAX_BYTES = 64 * 1024;

/** Everything that came for a version while it waited. */
export interface OpenedClaim {
  readonly artifact: SubmittedArtifact;
  readonly signatures: readonly SubmittedSignature[];
  readonly attestations: readonly SubmittedAttestation[];
}

/** @throws DomainError ERR_PACK_CONFLICT when the claim has ended meanwhile */
export async function openClaim(unitOfWork: RegistryUnitOfWork, blobs: BlobStore, claim: PendingVersion): Promise<OpenedClaim> {
  const { tenant, packId } = claim;
  const stored = await openManifest(blobs, claim.manifest);
  const { referrers, config } = await unitOfWork.run(tenant, async tx => ({
    referrers: await tx.repositories.referrers(tenant, packId, claim.manifest.digest, MAX_REFERRERS),
    config: await tx.repositories.blobs(tenant, packId, stored.parsed.config ? [stored.parsed.config.digest] : []),
  }));
  const [own] = config.values();
  if (!own) throw new DomainError('ERR_PACK_CONFLICT', 'the version no longer waits', { retry: 'later' });
  const { digest, size, objectKey } = claim.manifest;
  const artifact = { manifest: stored.encoded, stored: { digest, size, objectKey }, config: own };
  const signatures: SubmittedSignature[] = [];
  const attestations: SubmittedAttestation[] = [];
  for (const referrer of referrers) {
    const carried = await openReferrer(unitOfWork, blobs, claim, referrer);
    if (carried?.document.kind === 'signature') signatures.push({ blob: carried.document.blob, referrer: carried.encoded });
    if (carried?.document.kind === 'attestation') attestations.push({ document: carried.document.blob, referrer: carried.encoded });
  }
  return { artifact, signatures, attestations };
}

/** A referrer that carries one document which can be verified; others are nobody's concern here. */
async function openReferrer(
  unitOfWork: RegistryUnitOfWork,
  blobs: BlobStore,
  { tenant, packId }: PendingVersion,
  referrer: RecordedManifest,
): Promise<{ encoded: EncodedManifest; document: CarriedDocument } | undefined> {
  if (referrer.size > PACK_MANIFEST_MAX_BYTES) return undefined;
  const { encoded, parsed } = await openManifest(blobs, referrer);
  const [layer, ...others] = parsed.layers;
  if (!layer || others.length > 0 || !isDocument(layer.mediaType)) return undefined;
  const located = await unitOfWork.run(tenant, tx => tx.repositories.blobs(tenant, packId, [layer.digest]));
  const blob: StoredBlob | undefined = located.get(layer.digest);
  const document = blob && (await readDocument(blobs, blob, layer.mediaType));
  return document && { encoded, document };
}

async function openManifest(
  blobs: BlobStore,
  stored: Pick<RecordedManifest, 'digest' | 'size' | 'objectKey' | 'mediaType'>,
): Promise<{ encoded: EncodedManifest; parsed: ParsedManifest }> {
  const bytes = await readWhole(blobs, stored, PACK_MANIFEST_MAX_BYTES);
  const parsed = parseManifest(bytes, stored.mediaType);
  return { parsed, encoded: encodedOf(bytes, parsed, stored.digest) };
}

export function encodedOf(bytes: Buffer, parsed: ParsedManifest, digest: EncodedManifest['digest']): EncodedManifest {
  const { mediaType, artifactType, annotations } = parsed;
  return { mediaType, digest, size: bytes.length, bytes, artifactType, annotations };
}
