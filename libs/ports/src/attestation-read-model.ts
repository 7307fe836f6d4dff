import type { AttestationView } from '@packs/contracts';
import type { SigningPolicy } from '@packs/domain';
import type { StoredBlob } from './blob-store';
import type { Viewpoint } from './pack-read-model';

/** What a read has to know before it may serve an attestation. */
export interface ServableAttestation {
  readonly view: AttestationView;
  readonly document: StoredBlob;
  /** The trust epoch its verdict was made under. */
  readonly verifiedEpoch: number;
  readonly verdictPolicy: SigningPolicy | null;
}

export abstract class AttestationReadModel {
  /** Those of a version, oldest first; none when the caller cannot see the version. */
  abstract list(at: Viewpoint, packId: string, version: string): Promise<ServableAttestation[]>;
}
