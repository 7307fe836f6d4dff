import { ReverifyVersion, verifyTimeoutMs, type ReverifyVersionReply } from '@packs/contracts';
import { DomainError, parsePackId, parseVersion, type FieldFault } from '@packs/domain';
import { withdrawnReads } from '@packs/observability';
import type { Clock, CommandBus, PackReadModel, ServableVersion, Viewpoint } from '@packs/ports';
import { VerdictCache } from './verdict-cache';

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
    const found = await this.packs.findVersion(at, parsePackId(packId), parseVersion(version));
    if (!found) throw new DomainError('ERR_PACK_NOT_FOUND', `no version ${version} of pack ${packId}`);
    if (found.trust.epoch !== found.verifiedEpoch) await this.reverify(found);
    return found;
  }

  private async reverify(version: ServableVersion): Promise<void> {
    const { view, trust, signatures, withdrawal } = version;
    // What is recorded holds for its epoch: a verdict of before would not know what time has changed.
    if (withdrawal?.epoch === trust.epoch) {
      const message = `by the verdict ${withdrawal.verdictHash}`;
      throw withdrawn(
        version,
        withdrawal.reasons,
        withdrawal.reasons.map(code => ({ code, message })),
      );
    }
    const signed = signatures.map(({ digest }) => digest);
    const key = [view.tenant, view.packId, view.manifestDigest, trust.epoch, ...signed].join();
    const { verdict, faults } = await this.verdicts.of(key, () => this.ask(version));
    if (verdict.outcome === 'accepted') return;
    const failed = verdict.checks.filter(({ outcome }) => outcome === 'fail');
    throw withdrawn(version, [...new Set(failed.map(({ reason }) => reason))], faults);
  }

  private ask({ view, bundle, manifest, signatures, type, channel, verdictPolicy, trust }: ServableVersion): Promise<ReverifyVersionReply> {
    const question = {
      tenant: view.tenant,
      channel,
      packType: type,
      bundle: { digest: bundle.digest, size: bundle.size, objectKey: bundle.objectKey },
      manifest,
      signatures: signatures.map(signature => ({ ...signature, mediaType: signature.mediaType as never })),
      // The policy that accepted it: a later policy speaks of later publishes.
      policies: verdictPolicy ? [verdictPolicy] : [],
      trust: { digest: trust.digest, epoch: trust.epoch, material: trust.material },
      evaluatedAt: this.clock.now().toISOString(),
    };
    return this.commands.send(ReverifyVersion, question, verifyTimeoutMs(bundle.size));
  }
}

function withdrawn({ view, trust }: ServableVersion, reasons: readonly string[], errors: readonly FieldFault[] = []): DomainError {
  withdrawnReads.inc();
  return new DomainError('ERR_PACK_WITHDRAWN', `${view.packId} ${view.version} is withdrawn: its signatures no longer satisfy its policy`, {
    details: { reasons, trustEpoch: trust.epoch },
    errors,
  });
}
