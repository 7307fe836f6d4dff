import {
  DomainError,
  PACK_MANIFEST_MAX_BYTES,
  type Descriptor,
  type Digest,
  type EncodedManifest,
  type ParsedManifest,
} from '@packs/domain';
import { readWhole, type BlobStore, type PendingVersion, type RecordedManifest, type RegistryUnitOfWork } from '@packs/ports';
import { parseManifest } from '../put-manifest/parse-manifest';
import { isDocument, readDocument } from '../put-manifest/read-document';
import type { SubmittedArtifact, SubmittedAttestation, SubmittedSignature } from './submission';

/** Referrers of one version that are looked at; the newest. */
const MAX_REFERRERS = 256;

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
  const carrying: CarryingReferrer[] = [];
  for (const referrer of referrers) carrying.push(...(await openReferrer(blobs, referrer)));
  const documents = await unitOfWork.run(tenant, tx =>
    tx.repositories.blobs(
      tenant,
      packId,
      carrying.map(({ layer }) => layer.digest),
    ),
  );
  const signatures: SubmittedSignature[] = [];
  const attestations = new Map<Digest, SubmittedAttestation>();
  for (const { encoded, layer } of carrying) {
    const blob = documents.get(layer.digest);
    const document = blob && (await readDocument(blobs, blob, layer.mediaType));
    if (document?.kind === 'signature') signatures.push({ blob: document.blob, referrer: encoded });
    // What several referrers carry is one attestation: it is kept by the newest of them.
    if (document?.kind === 'attestation' && !attestations.has(layer.digest)) {
      attestations.set(layer.digest, { document: document.blob, predicateType: document.predicateType, referrer: encoded });
    }
  }
  return { artifact, signatures, attestations: [...attestations.values()] };
}

interface CarryingReferrer {
  readonly encoded: EncodedManifest;
  readonly layer: Descriptor;
}

/** A referrer that carries one document which can be verified; others are nobody's concern here. */
async function openReferrer(blobs: BlobStore, referrer: RecordedManifest): Promise<readonly CarryingReferrer[]> {
  if (referrer.size > PACK_MANIFEST_MAX_BYTES) return [];
  const { encoded, parsed } = await openManifest(blobs, referrer);
  const [layer, ...others] = parsed.layers;
  return layer && others.length === 0 && isDocument(layer.mediaType) ? [{ encoded, layer }] : [];
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
