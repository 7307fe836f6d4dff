import { encodeSignatureManifest, type Descriptor, type Verdict } from '@packs/domain';
import type { BlobStore, NewSignature, StoredBlob } from '@packs/ports';
import { emptyConfig, writeWhole } from '../publish-pack/prepare-artifact';
import type { RotationPlan } from './plan-rotation';
import type { Carriers } from './rotate-signature';

interface Parts {
  /** The version's manifest. */
  readonly subject: Descriptor;
  readonly plan: RotationPlan;
  readonly verdict: Verdict;
  readonly carriers: Carriers | undefined;
}

/** The signatures that come, each with the referrer that carries it, on stable storage. */
export async function prepareReferrers(
  store: BlobStore,
  { subject, plan, verdict, carriers }: Parts,
): Promise<{ signatures: readonly NewSignature[]; blobs: readonly StoredBlob[] }> {
  const signatures: NewSignature[] = [];
  const written: Promise<StoredBlob>[] = [];
  for (const blob of plan.added) {
    const { mediaType, digest, size } = blob;
    const carrier = carriers?.referrers.get(digest);
    const manifest = carrier ?? encodeSignatureManifest({ mediaType, digest, size }, subject);
    if (!carrier) written.push(writeWhole(store, manifest.bytes), emptyConfig(store));
    const identity = verdict.identities.find(({ signature }) => signature === digest) ?? null;
    signatures.push({ blob, manifest, identity });
  }
  return { signatures, blobs: [...(carriers?.blobs ?? []), ...(await Promise.all(written))] };
}
