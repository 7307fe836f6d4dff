import type { VerdictQuestion } from '@packs/contracts';
import type { AttestationMediaType, AttestationState, Descriptor, Digest, EncodedManifest, Verdict, VerifiedIdentity } from '@packs/domain';
import type { BlobRef, StoredBlob } from './blob-store';

export type Signer = Pick<VerifiedIdentity, 'name' | 'keyId' | 'scheme'>;

/** A verified statement about a version, as it is recorded. */
export interface RecordedAttestation {
  readonly digest: Digest;
  readonly mediaType: AttestationMediaType;
  readonly size: number;
  readonly predicateType: string;
  /** The referrer that carries it. */
  readonly manifestDigest: Digest;
  readonly signers: readonly Signer[];
  readonly verdictHash: Digest;
  readonly state: AttestationState;
  readonly stateReason: string | null;
  readonly addedAt: string;
  readonly addedBy: string;
}

export interface NewAttestation {
  readonly tenant: string;
  readonly packId: string;
  readonly version: string;
  /** Digest of the version's manifest. */
  readonly subject: Digest;
  readonly document: BlobRef & { readonly mediaType: AttestationMediaType };
  readonly predicateType: string;
  readonly referrer: EncodedManifest;
  readonly signers: readonly Signer[];
  readonly verdict: Verdict;
  readonly verdictHash: Digest;
  readonly question: VerdictQuestion;
  readonly addedAt: string;
  readonly actor: string;
  readonly source: string | null;
  /** Blobs this transaction has to record: the referrer, stored but not yet known. */
  readonly blobs: readonly StoredBlob[];
}

export abstract class AttestationStore {
  abstract find(tenant: string, packId: string, version: string, digest: Digest): Promise<RecordedAttestation | undefined>;
  /** The manifest of a version, which attestations refer to. */
  abstract subject(tenant: string, packId: string, version: string): Promise<Descriptor | undefined>;
  /** How many a version has, provisional ones included. */
  abstract count(tenant: string, packId: string, version: string): Promise<number>;
  /** The version is there, and the attestation is not; one that was provisional is so no longer. */
  abstract add(attestation: NewAttestation): Promise<void>;
}
