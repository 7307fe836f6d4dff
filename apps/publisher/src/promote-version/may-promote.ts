import type { PromoteVersionReply, PromoteVersionRequest } from '@packs/contracts';
import { DomainError, versionSortKey } from '@packs/domain';
import type { JudgeableVersion, RegistryTx } from '@packs/ports';
import { requireChannel } from '../update-channel/require-channel';

export type Standing =
  { readonly version: JudgeableVersion; readonly previousVersion: string | null } | { readonly done: PromoteVersionReply };

/**
 * Every rule of a promotion that depends on what is there but not on a verdict; `done` when the channel points at the version already.
 * @throws DomainError ERR_PACK_CHANNEL_UNKNOWN, ERR_PACK_NOT_FOUND, ERR_PACK_LIFECYCLE, ERR_PACK_CONFLICT
 */
export async function mayPromote(tx: RegistryTx, request: PromoteVersionRequest): Promise<Standing> {
  const { tenant, packId, channel, from } = request;
  await requireChannel(tx, tenant, channel);
  if (from !== null) await requireChannel(tx, tenant, from, 'from');
  const version = await tx.channels.judgeable(tenant, packId, request.version);
  if (!version) throw new DomainError('ERR_PACK_NOT_FOUND', `no version ${request.version} of pack ${packId}`);
  if (version.lifecycle !== 'active') {
    throw new DomainError(
      'ERR_PACK_LIFECYCLE',
      `${packId} ${version.version} is ${version.lifecycle}; only an active version can be promoted`,
      {
        details: { lifecycle: version.lifecycle },
      },
    );
  }
  const head = await tx.channels.head(tenant, packId, channel);
  if (head?.version === version.version) {
    const { digest, manifestDigest } = version;
    const { verdictHash, movedAt: promotedAt } = head;
    return { done: { outcome: 'unchanged', digest, manifestDigest, previousVersion: head.version, verdictHash, promotedAt } };
  }
  if (from !== null) await requireHead(tx, request, from);
  if (head && versionSortKey(head.version) > versionSortKey(version.version)) {
    throw new DomainError(
      'ERR_PACK_CONFLICT',
      `${channel} points at ${head.version}, which is newer: a promotion never moves a channel back`,
      {
        details: { channel, currentVersion: head.version },
      },
    );
  }
  return { version, previousVersion: head?.version ?? null };
}

async function requireHead(tx: RegistryTx, { tenant, packId, version }: PromoteVersionRequest, channel: string): Promise<void> {
  const current = (await tx.channels.head(tenant, packId, channel))?.version ?? null;
  if (current === version) return;
  throw new DomainError(
    'ERR_PACK_CONFLICT',
    `${channel} ${current === null ? 'points at nothing' : `points at ${current}`}, not at ${version}`,
    {
      details: { channel, currentVersion: current },
      errors: [{ field: 'from', message: `does not point at ${version}` }],
    },
  );
}
