import { newEvent, PackAttestationReassessed } from '@packs/contracts';
import type { ExistingVersion, RecordedAttestation, RegistryTx } from '@packs/ports';
import { toldOf } from '../deprecate-version/lock-version';
import type { NextState } from './judge-standing';

interface Reassessed {
  readonly tenant: string;
  readonly existing: ExistingVersion;
  readonly recorded: RecordedAttestation;
  readonly by: string;
  readonly source: string | null;
}

/** Writes what a recorded statement counts for from now on, with its event. The version is locked. */
export async function reassess(
  tx: RegistryTx,
  { tenant, existing, recorded, by, source }: Reassessed,
  { state, reason, judged }: NextState,
  now: Date,
): Promise<void> {
  const { packId, version } = existing;
  const { digest, predicateType } = recorded;
  const at = now.toISOString();
  const seq = await tx.attestationStates.change({ tenant, packId, version, digest }, { state, reason, judged, at, by });
  await tx.outbox.append(
    newEvent(
      PackAttestationReassessed,
      {
        ...toldOf(existing, { tenant, packId, version, actor: by, source }),
        signatures: [digest],
        attestation: digest,
        predicateType,
        signers: recorded.signers.map(({ name, keyId }) => ({ name, keyId })),
        previousState: recorded.state,
        ...{ state, reason, seq },
        verdictHash: judged?.hash ?? null,
        trustEpoch: judged?.verdict.trust.epoch ?? null,
        reassessedAt: at,
      },
      now,
    ),
  );
}
