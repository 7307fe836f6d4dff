import { DomainError, type EncodedManifest } from '@packs/domain';
import type { StoredBlob } from '@packs/ports';
import type { RotateSignature } from '../rotate-signature/rotate-signature';
import type { Carried } from './carried-documents';
import type { RecordedPush } from './put-manifest';

/** What was pushed about a published version. */
export interface PushedSignatures {
  readonly request: RecordedPush;
  readonly version: string;
  readonly carried: readonly Carried[];
  /** The pushed manifest itself. */
  readonly encoded: EncodedManifest;
  /** Stored but not yet recorded. */
  readonly blobs: readonly StoredBlob[];
}

/**
 * Adds those of the pushed signatures that count to a published version's, one by one: under cosign's tag each push brings all that were there before. One
 * that nobody trusted made is kept as what it is, a manifest that refers to the version. One that was replaced comes back only by a rotation.
 */
export async function addSignatures(
  rotateSignature: RotateSignature,
  { request, version, carried, encoded, blobs }: PushedSignatures,
): Promise<void> {
  const { tenant, actor, source, repository: packId } = request;
  const pushed = carried.flatMap(({ document, made }) =>
    document.kind === 'signature' ? [{ blob: document.blob, referrer: made ?? encoded }] : [],
  );
  for (const { blob, referrer } of pushed) {
    const rotation = { tenant, actor, source, packId, version, signatures: [blob], replaces: [], reason: null, idempotencyKey: null };
    try {
      await rotateSignature.execute(rotation, { referrers: new Map([[blob.digest, referrer]]), blobs });
    } catch (error) {
      if (!(error instanceof DomainError) || error.code !== 'ERR_PACK_VERDICT_REJECTED') throw error;
    }
  }
}
