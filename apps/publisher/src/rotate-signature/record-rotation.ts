import { newEvent, PackSignatureRotated, type ReverifyVersionReply, type RotateSignatureReply } from '@packs/contracts';
import type { ExistingVersion, NewSignature, RegistryTx, Standing, StoredBlob } from '@packs/ports';
import { toldOf } from '../deprecate-version/lock-version';
import type { Answered } from '../judgement/ask-verifier';
import { restoreVersion } from '../settle-version/record-standing';
import type { RotationPlan } from './plan-rotation';

export interface JudgedRotation {
  readonly tenant: string;
  readonly packId: string;
  readonly version: string;
  readonly actor: string;
  readonly source: string | null;
  readonly reason: string | null;
  readonly existing: ExistingVersion;
  readonly standing: Standing;
  readonly plan: RotationPlan;
  readonly verified: Answered<ReverifyVersionReply>;
  readonly signatures: readonly NewSignature[];
  readonly blobs: readonly StoredBlob[];
  /** Of the verdict. */
  readonly epoch: number;
}

/** Writes other signatures of a version with their event. The version is locked, and accepted with them. */
export async function recordRotation(tx: RegistryTx, rotation: JudgedRotation, now: Date): Promise<RotateSignatureReply> {
  const { tenant, packId, version, actor, source, reason, existing, standing, plan, verified } = rotation;
  const { verdict, verdictHash, question } = verified;
  const key = { tenant, packId, version };
  const rotatedAt = now.toISOString();
  const added = plan.added.map(({ digest }) => digest);
  const replaced = [...plan.replaced];
  const signatures = plan.signatures.map(({ digest }) => digest);
  const seq = await tx.signatures.rotate({
    ...{ ...key, actor, source, reason, replaced, verdict, verdictHash, question, rotatedAt },
    subject: existing.manifestDigest,
    added: rotation.signatures,
    blobs: rotation.blobs,
  });
  const told = { ...toldOf(existing, { ...key, actor, source }), signatures };
  const signers = verdict.identities.map(({ name, keyId }) => ({ name, keyId }));
  const state = { rotation: seq, added, replaced, reason, signers, verdictHash, rotatedAt };
  await tx.outbox.append(newEvent(PackSignatureRotated, { ...told, ...state }, now));
  const restored = standing.withdrawal !== null;
  if (standing.withdrawal) await restoreVersion(tx, { told, key, standing, withdrawal: standing.withdrawal, verified }, now);
  else await tx.standings.accept(key, rotation.epoch);
  return { outcome: 'rotated', rotation: seq, added, replaced, signatures, verdictHash, restored, rotatedAt };
}
