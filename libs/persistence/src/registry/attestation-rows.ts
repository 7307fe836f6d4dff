import type { AttestationMediaType, AttestationState, Digest } from '@packs/domain';
import type { RecordedAttestation, Signer } from '@packs/ports';

export interface AttestationRow {
  digest: Digest;
  media_type: AttestationMediaType;
  size: string;
  predicate_type: string;
  manifest_digest: Digest;
  signers: Signer[];
  verdict_hash: Digest;
  state: AttestationState;
  state_reason: string | null;
  added_at: Date;
  added_by: string;
}

export const ATTESTATION_COLUMNS = `a.digest, a.media_type, b.size, a.predicate_type, a.manifest_digest, a.signers, a.verdict_hash, a.state, a.state_reason,
  a.added_at, a.added_by`;

export function toRecorded(row: AttestationRow): RecordedAttestation {
  return {
    digest: row.digest,
    mediaType: row.media_type,
    size: Number(row.size),
    predicateType: row.predicate_type,
    manifestDigest: row.manifest_digest,
    signers: row.signers,
    verdictHash: row.verdict_hash,
    state: row.state,
    stateReason: row.state_reason,
    addedAt: row.added_at.toISOString(),
    addedBy: row.added_by,
  };
}
