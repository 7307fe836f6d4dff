import type { Selection } from '@packs/contracts';
import { DomainError, type Digest } from '@packs/domain';
import type { AuditReadModel } from '@packs/ports';
import { LoggedState } from './logged-state';

const PAGE = 500;

/**
 * Reads a tenant's audit log from its first entry to `seq`.
 * @returns the state then, when that was, and the leaf hash of the first entry, which no other log has
 */
export async function readLog(
  audit: AuditReadModel,
  tenant: string,
  seq: number,
  selection: Selection,
): Promise<{ state: LoggedState; log: Digest; at: string }> {
  const state = new LoggedState(selection);
  let log: Digest | undefined;
  let at = '';
  for (let after = 0; after < seq;) {
    const entries = await audit.entries(tenant, { after, limit: Math.min(PAGE, seq - after) });
    for (const entry of entries) {
      if (entry.seq !== ++after) throw new DomainError('ERR_PACK_CORRUPT', `the audit log of ${tenant} lacks entry ${after}`);
      log ??= `sha256:${entry.leafHash}`;
      state.apply(entry);
      if (entry.occurredAt > at) at = entry.occurredAt;
    }
    if (entries.length === 0) throw new DomainError('ERR_PACK_CORRUPT', `the audit log of ${tenant} ends before entry ${seq}`);
  }
  if (!log) throw new DomainError('ERR_PACK_NOT_FOUND', `nothing has happened in ${tenant}: there is nothing to export`);
  return { state, log, at };
}
