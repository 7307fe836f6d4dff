import { judgedAttestations, ReverifyVersion, verifyTimeoutMs, type ReverifyVersionReply } from '@packs/contracts';
import { DomainError, parsePackId, parseVersion } from '@packs/domain';
import { withdrawnReads } from '@packs/observability';
import type { Clock, CommandBus, PackReadModel, ServableVersion, Viewpoint } from '@packs/ports';
import { VerdictCache } from './verdict-cache';

export interface JudgedVersion {
  readonly found: ServableVersion;
  readonly current?: ReverifyVersionReply;
}

/**
 * The only way to a version's content: found, visible to the caller, and its stored signatures still good under the owner's
 * current keys. A version verified under the current trust epoch is served at once; after a change of trust it is verified again
 * on its first read, and the answer holds until the next change.
 */
export class ServableVersions {
  private readonly verdicts = new VerdictCache<ReverifyVersionReply>();

  constructor(
    private readonly packs: PackReadModel,
    private readonly commands: CommandBus,
    private readonly clock: Clock,
  ) {}

  /** @throws DomainError ERR_PACK_NOT_FOUND, ERR_PACK_WITHDRAWN with the reasons, ERR_PACK_UNAVAILABLE when no verifier answers */
  async find(at: Viewpoint, packId: string, version: string): Promise<ServableVersion> {
    const { found, current } = await this.judged(at, packId, version);
    if (current) requireAccepted(found, current);
    return found;
  }

  /**
   * A version and what is concluded about it under the keys of now, whether it is served or not. Without `current` the stored verdict was made under them.
   * @throws DomainError ERR_PACK_NOT_FOUND, ERR_PACK_UNAVAILABLE
   */
  async judged(at: Viewpoint, packId: string, version: string): Promise<JudgedVersion> {
    const found = await this.packs.findVersion(at, parsePackId(packId), parseVersion(version));
    if (!found) throw new DomainError('ERR_PACK_NOT_FOUND', `no version ${version} of pack ${packId}`);
    return found.trust.epoch === found.verifiedEpoch ? { found } : { found, current: await this.reverify(found) };
  }

  private reverify(version: ServableVersion): Promise<ReverifyVersionReply> {
    const { view, trust, signatures, attestations, withdrawal } = version;
    // What is signed or attested later may be what was wanting, and what was kept from before a withdrawal does not know of it.
    const documents = [...signatures, ...attestations].map(({ digest }) => digest);
    const key = [view.tenant, view.packId, view.manifestDigest, trust.epoch, withdrawal?.verdictHash, ...documents].join();
    return this.verdicts.of(key, () => this.ask(version));
  }

  private ask(version: ServableVersion): Promise<ReverifyVersionReply> {
    const { view, bundle, manifest, signatures, attestations, type, channel, verdictPolicy, trust } = version;
    // The policy that accepted it: a later policy speaks of later publishes.
    const policies = verdictPolicy ? [verdictPolicy] : [];
    const question = {
      tenant: view.tenant,
      channel,
      packType: type,
      bundle: { digest: bundle.digest, size: bundle.size, objectKey: bundle.objectKey },
      manifest,
      signatures: [...signatures],
      ...judgedAttestations(policies, attestations),
      policies,
      trust: { digest: trust.digest, epoch: trust.epoch, material: trust.material },
      evaluatedAt: this.clock.now().toISOString(),
    };
    return this.commands.send(ReverifyVersion, question, verifyTimeoutMs(bundle.size));
  }
}

/** @throws DomainError ERR_PACK_WITHDRAWN with the reasons */
function requireAccepted({ view, trust }: ServableVersion, { verdict, faults }: ReverifyVersionReply): void {
  if (verdict.outcome === 'accepted') return;
  withdrawnReads.inc();
  throw new DomainError('ERR_PACK_WITHDRAWN', `${view.packId} ${view.version} is withdrawn: its signatures no longer satisfy its policy`, {
    details: {
      reasons: [...new Set(verdict.checks.filter(check => check.outcome === 'fail').map(check => check.reason))],
      trustEpoch: trust.epoch,
    },
    errors: faults,
  });
}
