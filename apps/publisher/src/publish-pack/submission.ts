import type { PublishPackReply } from '@packs/contracts';
import type { AttestationMediaType, Digest, EncodedManifest, SignatureMediaType } from '@packs/domain';
import type { BlobRef, PendingVersion, RegistryTx } from '@packs/ports';

export interface SubmittedSignature {
  readonly blob: BlobRef & { readonly mediaType: SignatureMediaType };
  /** The manifest it came in. Absent: one is made for it. */
  readonly referrer?: EncodedManifest;
}

export interface SubmittedAttestation {
  readonly document: BlobRef & { readonly mediaType: AttestationMediaType };
  /** As the document says, unverified. */
  readonly predicateType: string;
  readonly referrer: EncodedManifest;
}

/** An OCI artifact that is kept byte for byte. */
export interface SubmittedArtifact {
  readonly manifest: EncodedManifest;
  /** Where the manifest's bytes lie. */
  readonly stored: BlobRef;
  readonly config: BlobRef;
}

/** A bundle that is to become a version, whichever door it came through. */
export interface Submission {
  readonly tenant: string;
  readonly actor: string;
  readonly source: string | null;
  /** What is said of the bundle; null says nothing. */
  readonly packId: string | null;
  readonly version: string | null;
  readonly channel: string;
  readonly bundle: BlobRef;
  readonly signatures: readonly SubmittedSignature[];
  /** Absent: it is made here. */
  readonly artifact?: SubmittedArtifact;
  /** The claim it goes on with; `artifact` and `signatures` are those of the claim as well. */
  readonly claim?: PendingVersion;
  readonly attestations?: readonly SubmittedAttestation[];
  /** It is there for a claim, and nothing without it. */
  readonly completesOnly?: boolean;
}

export interface SubmissionHooks {
  /** An answer that was given before, in the transaction that would give another. */
  earlier(tx: RegistryTx): Promise<PublishPackReply | undefined>;
  /** Keeps a final answer. */
  keep(tx: RegistryTx, reply: PublishPackReply): Promise<void>;
  /** Throws what stands against a pack that would be accepted. */
  check(pack: { readonly packId: string; readonly version: string; readonly config: Digest }): void;
}

/** The commit found a claim on the number by the same bundle: with it, everything is judged again. */
export interface FoundClaim {
  readonly claim: PendingVersion;
}
