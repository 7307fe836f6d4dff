import {
  newEvent,
  PackAttestationReceived,
  type AddAttestationReply,
  type AddAttestationRequest,
  type VerifyAttestationReply,
} from '@packs/contracts';
import { canonicalDigest, DomainError, firstFailure, type Digest } from '@packs/domain';
import type { ExistingVersion, ProvisionalAttestation, RegistryTx, TrustState } from '@packs/ports';
import { lockVersion, toldOf } from '../deprecate-version/lock-version';
import type { Answered } from '../judgement/ask-verifier';

/** Attestations of one version at the most, provisional ones included. */
const MAX_ATTESTATIONS = 128;

interface Untrusted {
  readonly request: AddAttestationRequest;
  readonly existing: ExistingVersion;
  readonly verified: Answered<VerifyAttestationReply>;
  readonly predicateType: string;
  readonly trust: TrustState;
  readonly now: Date;
}

/** Keeps a document that lacks nothing but trust in its signers, with an event: one that is kept already is only noted as judged again. */
export async function keepProvisional(tx: RegistryTx, untrusted: Untrusted): Promise<AddAttestationReply> {
  const { request, existing, verified, predicateType, trust, now } = untrusted;
  const { tenant, packId, version, attestation: document } = request;
  await lockVersion(tx, tenant, packId, version);
  const name = { tenant, packId, version, digest: document.digest };
  const earlier = await tx.attestationStates.provisional(name);
  if (!earlier) await requireRoom(tx, request);
  const { verdict, verdictHash, question } = verified;
  const kept: ProvisionalAttestation = {
    ...name,
    document,
    predicateType,
    reason: firstFailure(verdict),
    verdictHash,
    addedAt: earlier?.addedAt ?? now.toISOString(),
    addedBy: earlier?.addedBy ?? request.actor,
    source: earlier ? earlier.source : request.source,
  };
  if (await tx.attestationStates.keep(kept, { verdict, question }, basisOf(trust))) {
    const { digest, size, mediaType } = document;
    const { reason, addedAt } = kept;
    const state = { attestation: digest, mediaType, size, predicateType, reason, verdictHash, addedAt };
    await tx.outbox.append(newEvent(PackAttestationReceived, { ...toldOf(existing, request), ...state, signatures: [digest] }, now));
  }
  return toProvisionalReply(kept);
}

/** What a provisional document was judged by: when it differs, it is judged again. */
export function basisOf({ epoch, digest, policies }: TrustState): Digest {
  return canonicalDigest({ epoch, digest, policies });
}

/** @throws DomainError ERR_PACK_LIMIT */
export async function requireRoom(tx: RegistryTx, { tenant, packId, version }: AddAttestationRequest): Promise<void> {
  if ((await tx.attestations.count(tenant, packId, version)) < MAX_ATTESTATIONS) return;
  throw new DomainError('ERR_PACK_LIMIT', `a version has at most ${MAX_ATTESTATIONS} attestations`);
}

function toProvisionalReply({
  document,
  predicateType,
  reason,
  verdictHash,
  addedAt,
  addedBy,
}: ProvisionalAttestation): AddAttestationReply {
  const { digest, mediaType, size } = document;
  const shown = { digest, mediaType, size, predicateType, manifestDigest: null, signers: [], verdictHash, addedAt, addedBy };
  return { outcome: 'provisional', ...shown, state: 'provisional', stateReason: reason };
}
