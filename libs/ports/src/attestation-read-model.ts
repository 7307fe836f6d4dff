import type { AttestationStateView, AttestationView } from '@packs/contracts';
import type { Digest, SigningPolicy } from '@packs/domain';
import type { StoredBlob } from './blob-store';
import type { Viewpoint } from './pack-read-model';

/** What a read has to know before it may serve an attestation. */
export interface ServableAttestation {
  readonly view: AttestationView;
  readonly document: StoredBlob;
  /** The trust epoch under which it was last found good. */
  readonly verifiedEpoch: number;
  readonly verdictPolicy: SigningPolicy | null;
}

export abstract class AttestationReadModel {
  /** Those of a version, oldest first; none when the caller cannot see the version. */
  abstract list(at: Viewpoint, packId: string, version: string): Promise<ServableAttestation[]>;
  /** Those that were taken before anybody trusted their signers, oldest first; of another tenant's versions none. */
  abstract provisional(at: Viewpoint, packId: string, version: string): Promise<AttestationView[]>;
  /** What it has counted for, oldest first; of another tenant's versions nothing. */
  abstract history(at: Viewpoint, packId: string, version: string, digest: Digest): Promise<AttestationStateView[]>;
}
