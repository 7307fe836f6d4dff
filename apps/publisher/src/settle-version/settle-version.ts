import { verifyTimeoutMs, type ReverifyVersionReply } from '@packs/contracts';
import { DomainError, type Check } from '@packs/domain';
import type { Clock, CommandBus, JudgeableVersion, RegistryTx, RegistryUnitOfWork, TrustState, VersionKey } from '@packs/ports';
import { toldOf } from '../deprecate-version/lock-version';
import { askAbout, ownPolicies } from '../judgement/ask-about';
import type { Answered } from '../judgement/ask-verifier';
import { JUDGE_AGAIN, judgeAndCommit } from '../judgement/judge-and-commit';
import { versionBasis } from '../judgement/version-basis';
import { reasonsOf } from '../publish-pack/may-wait';
import { restoreVersion, withdrawVersion } from './record-standing';

/** `gone`: there is no such version. */
export type Settled = 'unchanged' | 'withdrawn' | 'restored' | 'gone';

interface Judged {
  readonly version: JudgeableVersion;
  readonly verified: Answered<ReverifyVersionReply>;
}

const ACTOR = 'system:reverification';
/** Of bytes at rest: whoever looks after those puts them in quarantine, and repairs them. */
const DAMAGE: readonly Check['reason'][] = ['ERR_PACK_DIGEST_MISMATCH', 'ERR_PACK_MANIFEST_MISMATCH'];

/**
 * Brings what is recorded of a version in line with what its signatures are worth now: judged by the policy that let it in, under today's keys. Whether
 * it was served or withdrawn before, a change of that is told once, whoever settles it at the same time.
 */
export class SettleVersion {
  constructor(
    private readonly unitOfWork: RegistryUnitOfWork,
    private readonly commands: CommandBus,
    private readonly clock: Clock,
  ) {}

  /** @throws DomainError ERR_PACK_CORRUPT when its bytes are not what was proven, which says nothing of its signatures; ERR_PACK_UNAVAILABLE without a verdict */
  async execute(key: VersionKey): Promise<Settled> {
    const trust = await this.unitOfWork.run(key.tenant, tx => tx.trust.state(key.tenant, 'none'));
    return judgeAndCommit<Judged, Settled>(this.unitOfWork, {
      tenant: key.tenant,
      trust,
      judge: async current => {
        const version = await this.unitOfWork.run(key.tenant, tx => tx.channels.judgeable(key.tenant, key.packId, key.version));
        return version ? { judged: { version, verified: await this.ask(key, version, current) } } : { done: 'gone' };
      },
      commit: (tx, judged, current) => this.commit(tx, key, judged, current),
    });
  }

  private async ask({ tenant, packId }: VersionKey, version: JudgeableVersion, trust: TrustState): Promise<Answered<ReverifyVersionReply>> {
    const bench = { tenant, packId, commands: this.commands, clock: this.clock };
    const timeoutMs = verifyTimeoutMs(version.bundle.size);
    const reply = await askAbout(bench, version, { channel: version.channel, policies: ownPolicies(version), trust, timeoutMs });
    if (reply.verdict.checks.some(({ outcome, reason }) => outcome === 'fail' && DAMAGE.includes(reason))) {
      throw new DomainError('ERR_PACK_CORRUPT', `the bytes of ${version.version} are not what was proven`);
    }
    return reply;
  }

  private async commit(tx: RegistryTx, key: VersionKey, judged: Judged, { epoch }: TrustState): Promise<Settled | typeof JUDGE_AGAIN> {
    const { version, verified } = judged;
    const attests = version.verdictPolicy?.require?.attestations !== undefined;
    // Who adds or contests an attestation holds this.
    if (attests) await tx.packs.lockPack(key.tenant, key.packId, version.type);
    const standing = await tx.standings.lock(key);
    if (!standing) return 'gone';
    const signatures = version.signatures.map(({ digest }) => digest);
    if (signatures.join() !== standing.signatures.join()) return JUDGE_AGAIN;
    if (attests && !(await isJudged(tx, key, version))) return JUDGE_AGAIN;
    const now = this.clock.now();
    const { digest, manifestDigest, config } = version;
    const told = toldOf({ digest, manifestDigest, config, signatures }, { ...key, actor: ACTOR, source: null });
    const { withdrawal } = standing;
    if (verified.verdict.outcome === 'accepted') {
      if (withdrawal) {
        await restoreVersion(tx, { told, key, standing, withdrawal, verified }, now);
        return 'restored';
      }
      if (standing.acceptedEpoch !== epoch) await tx.standings.accept(key, epoch);
      return 'unchanged';
    }
    if (!withdrawal) {
      await withdrawVersion(tx, { told, key, standing, verified }, now);
      return 'withdrawn';
    }
    if (withdrawal.epoch !== epoch) {
      await tx.packs.addVerdict(key.tenant, verified.verdict, verified.verdictHash, verified.question);
      await tx.standings.withdraw(key, { at: withdrawal.at, epoch, reasons: reasonsOf(verified), verdictHash: verified.verdictHash });
    }
    return 'unchanged';
  }
}

/** Whether the version has what it was judged with. */
async function isJudged(tx: RegistryTx, { tenant, packId }: VersionKey, version: JudgeableVersion): Promise<boolean> {
  const found = await tx.channels.judgeable(tenant, packId, version.version);
  return found !== undefined && versionBasis(found) === versionBasis(version);
}
