import type { PublishPackRequest } from '@packs/contracts';
import { DomainError, MEDIA_TYPES, PACK_MANIFEST_MAX_BYTES } from '@packs/domain';
import { readWhole, type BlobRef, type BlobStore } from '@packs/ports';
import { parseManifest } from '../put-manifest/parse-manifest';
import { encodedOf } from './open-claim';
import type { SubmittedArtifact, SubmittedSignature } from './submission';

/**
 * The manifest that a bundle came with from elsewhere, to be kept as it is.
 * @throws DomainError ERR_OCI_MANIFEST_INVALID when it is no pack's, or another's
 */
export async function readArtifact(
  blobs: BlobStore,
  { mediaType, manifest, config }: NonNullable<PublishPackRequest['artifact']>,
  bundle: BlobRef,
): Promise<SubmittedArtifact> {
  if (manifest.size > PACK_MANIFEST_MAX_BYTES) throw invalid('/', `of a pack has at most ${PACK_MANIFEST_MAX_BYTES} bytes`);
  const bytes = await readWhole(blobs, manifest, PACK_MANIFEST_MAX_BYTES);
  const parsed = parseManifest(bytes, mediaType);
  const [layer, ...others] = parsed.layers;
  if (parsed.artifactType !== MEDIA_TYPES.pack || parsed.mediaType !== MEDIA_TYPES.ociManifest)
    throw invalid('/artifactType', 'is no pack');
  if (parsed.subject) throw invalid('/subject', 'is not for packs');
  if (parsed.config?.digest !== config.digest || parsed.config.size !== config.size) throw invalid('/config', 'is not the one that came');
  if (layer?.digest !== bundle.digest || layer.size !== bundle.size || others.length > 0) throw invalid('/layers', 'are not the bundle');
  return { manifest: encodedOf(bytes, parsed, manifest.digest), stored: manifest, config };
}

/**
 * Signatures that came with an artifact, those with a manifest of their own in that. One that is not the signature's, or that nobody may keep, is left off: a
 * signature stands by its own bytes.
 */
export function readSignatures(
  blobs: BlobStore,
  signatures: PublishPackRequest['signatures'],
  artifact: SubmittedArtifact | undefined,
): Promise<SubmittedSignature[]> {
  return Promise.all(
    signatures.map(async ({ referrer, ...blob }) => {
      const kept = referrer && artifact && (await readReferrer(blobs, referrer, { of: blob, to: artifact }));
      return kept ? { blob, referrer: kept } : { blob };
    }),
  );
}

async function readReferrer(
  blobs: BlobStore,
  { manifest, mediaType }: NonNullable<PublishPackRequest['signatures'][number]['referrer']>,
  { of, to }: { readonly of: BlobRef; readonly to: SubmittedArtifact },
): Promise<SubmittedSignature['referrer']> {
  if (manifest.size > PACK_MANIFEST_MAX_BYTES) return undefined;
  const bytes = await readWhole(blobs, manifest, PACK_MANIFEST_MAX_BYTES);
  try {
    const parsed = parseManifest(bytes, mediaType);
    const [layer, ...others] = parsed.layers;
    const isIts = parsed.subject?.digest === to.manifest.digest && layer?.digest === of.digest && others.length === 0;
    return isIts ? encodedOf(bytes, parsed, manifest.digest) : undefined;
  } catch (error) {
    if (error instanceof DomainError && error.code === 'ERR_OCI_MANIFEST_INVALID') return undefined;
    throw error;
  }
}

function invalid(pointer: string, message: string): DomainError {
  return new DomainError('ERR_OCI_MANIFEST_INVALID', `the manifest's ${pointer} ${message}`, { errors: [{ pointer, message }] });
}
