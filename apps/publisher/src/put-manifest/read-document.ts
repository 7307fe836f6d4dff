import { ATTESTATION_MEDIA_TYPES, SIGNATURE_MEDIA_TYPES, type AttestationMediaType, type SignatureMediaType } from '@packs/domain';
import { readWhole, type BlobRef, type BlobStore } from '@packs/ports';
import { describeDocument, MAX_ATTESTATION_BYTES, MAX_SIGNATURE_BYTES } from '@packs/sigstore';

/** A document that says something verifiable of a version. */
export type CarriedDocument =
  | { readonly kind: 'signature'; readonly blob: BlobRef & { readonly mediaType: SignatureMediaType } }
  | { readonly kind: 'attestation'; readonly blob: BlobRef & { readonly mediaType: AttestationMediaType }; readonly predicateType: string };

/** Whether layers of this media type are read as such documents. */
export function isDocument(mediaType: string): boolean {
  return [...SIGNATURE_MEDIA_TYPES, ...ATTESTATION_MEDIA_TYPES].some(one => one === mediaType);
}

/** @returns undefined for what has not the shape of its media type, or more bytes than are looked at */
export async function readDocument(blobs: BlobStore, stored: BlobRef, mediaType: string): Promise<CarriedDocument | undefined> {
  if (stored.size > MAX_ATTESTATION_BYTES) return undefined;
  const described = describeDocument(mediaType, await readWhole(blobs, stored, MAX_ATTESTATION_BYTES));
  const { digest, size, objectKey } = stored;
  const blob = { digest, size, objectKey };
  if (described?.kind === 'signature') {
    const known = SIGNATURE_MEDIA_TYPES.find(one => one === mediaType);
    return known && size <= MAX_SIGNATURE_BYTES ? { kind: 'signature', blob: { ...blob, mediaType: known } } : undefined;
  }
  const known = ATTESTATION_MEDIA_TYPES.find(one => one === mediaType);
  return described && known && { ...described, blob: { ...blob, mediaType: known } };
}
