import { newEvent, PackVersionRestored, PackVersionWithdrawn, type ReverifyVersionReply } from '@packs/contracts';
import type { RegistryTx, Standing, VersionKey, Withdrawal } from '@packs/ports';
import type { Answered } from '../judgement/ask-verifier';
import { reasonsOf } from '../publish-pack/may-wait';
import type { toldOf } from '../deprecate-version/lock-version';

/** A version that is locked, what events say of it, and the verdict on it. */
export interface StandingChange {
  readonly told: ReturnType<typeof toldOf>;
  readonly key: VersionKey;
  readonly standing: Standing;
  readonly verified: Answered<ReverifyVersionReply>;
}

/** Takes a version that was served from its readers. */
export async function withdrawVersion(tx: RegistryTx, { told, key, standing, verified }: StandingChange, now: Date): Promise<void> {
  const { verdict, verdictHash, question } = verified;
  const { epoch } = verdict.trust;
  const reasons = reasonsOf(verified);
  const at = now.toISOString();
  await tx.packs.addVerdict(key.tenant, verdict, verdictHash, question);
  await tx.standings.withdraw(key, { at, epoch, reasons, verdictHash });
  const state = { change: standing.changes + 1, epoch, verdictHash, reasons, withdrawnAt: at };
  await tx.outbox.append(newEvent(PackVersionWithdrawn, { ...told, ...state }, now));
}

/** Gives a version that was withdrawn back to its readers. */
export async function restoreVersion(
  tx: RegistryTx,
  { told, key, standing, verified, withdrawal }: StandingChange & { readonly withdrawal: Withdrawal },
  now: Date,
): Promise<void> {
  const { verdict, verdictHash, question } = verified;
  const { epoch } = verdict.trust;
  await tx.packs.addVerdict(key.tenant, verdict, verdictHash, question);
  await tx.standings.accept(key, epoch);
  const state = { change: standing.changes + 1, epoch, verdictHash, withdrawnAt: withdrawal.at, restoredAt: now.toISOString() };
  await tx.outbox.append(newEvent(PackVersionRestored, { ...told, ...state }, now));
}
