import { newEvent, PackAttestationAdded } from '@packs/contracts';
import type { Digest } from '@packs/domain';
import type { NewAttestation, RegistryTx } from '@packs/ports';

/** The version a statement is about. */
export interface AttestedVersion {
  readonly config: Digest;
  readonly digest: Digest;
  readonly manifestDigest: Digest;
}

/** Writes a verified statement with its event. The version is there and locked. */
export async function recordAttestation(tx: RegistryTx, added: NewAttestation, about: AttestedVersion, now: Date): Promise<void> {
  const { tenant, packId, version, actor, source, document, referrer, predicateType, signers, verdictHash, addedAt } = added;
  await tx.attestations.add(added);
  await tx.outbox.append(
    newEvent(
      PackAttestationAdded,
      {
        ...{ packId, version, actor, tenant, source, predicateType, verdictHash, addedAt },
        signatures: [document.digest],
        metadataHash: about.config,
        digest: about.digest,
        manifestDigest: about.manifestDigest,
        attestation: document.digest,
        mediaType: document.mediaType,
        size: document.size,
        referrer: referrer.digest,
        signers: signers.map(({ name, keyId }) => ({ name, keyId })),
      },
      now,
    ),
  );
}
