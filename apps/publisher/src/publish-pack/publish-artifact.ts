import {
  judgedAttestations,
  newEvent,
  PackVersionRejected,
  VerifyBundle,
  verifyTimeoutMs,
  type PublishPackReply,
  type VerifyBundleReply,
} from '@packs/contracts';
import { DomainError, type PackManifest } from '@packs/domain';
import {
  readWhole,
  type BlobRef,
  type BlobStore,
  type Clock,
  type CommandBus,
  type RegistryUnitOfWork,
  type StoredBlob,
  type TrustState,
} from '@packs/ports';
import { judgeAttestations, type JudgedAttestation } from '../add-attestation/judge-attestations';
import { judgeAndCommit } from '../judgement/judge-and-commit';
import { acceptVersion, pendingReply } from './accept-version';
import { claimVersion } from './claim-version';
import { mayWait, reasonsOf } from './may-wait';
import { openClaim } from './open-claim';
import { keepArtifact, prepareArtifact, type PreparedArtifact } from './prepare-artifact';
import type { FoundClaim, Submission, SubmissionHooks } from './submission';

const CONFIG_MAX_BYTES = 1024 * 1024;
/** Signatures that one verdict looks at. */
const MAX_SIGNATURES = 64;
/** A claim may be found once, and once more when it was released and made anew meanwhile. */
const MAX_ROUNDS = 3;

interface Judged {
  readonly verified: VerifyBundleReply;
  readonly artifact: PreparedArtifact;
  readonly isAccepted: boolean;
  readonly attestations: readonly JudgedAttestation[];
}

/**
 * Makes a version of a bundle: verdict, then one transaction that either makes the version visible, with its event, or claims its number, or
 * changes nothing. The commit of that transaction is the moment of truth.
 */
export class PublishArtifact {
  constructor(
    private readonly unitOfWork: RegistryUnitOfWork,
    private readonly commands: CommandBus,
    private readonly blobs: BlobStore,
    private readonly clock: Clock,
  ) {}

  /** @throws DomainError for refusals that are not the verdict's: existing version, visibility, dependencies */
  async execute(submission: Submission, trust: TrustState, hooks: SubmissionHooks): Promise<PublishPackReply> {
    let current = submission;
    for (let round = 0; round < MAX_ROUNDS; round++) {
      const result = await this.attempt(current, trust, hooks);
      if (!('claim' in result)) return result;
      current = await this.join(submission, result);
    }
    throw new DomainError('ERR_PACK_CONFLICT', 'the claim on this version keeps changing; try again', { retry: 'later' });
  }

  /** Goes on with a claim: what refers to its manifest counts beside what comes now. */
  async join(submission: Submission, { claim }: FoundClaim): Promise<Submission> {
    const { artifact, signatures, attestations } = await openClaim(this.unitOfWork, this.blobs, claim);
    const known = new Set(signatures.map(({ blob }) => blob.digest));
    const added = submission.signatures.filter(({ blob }) => !known.has(blob.digest));
    return { ...submission, artifact, claim, attestations, signatures: [...added, ...signatures].slice(0, MAX_SIGNATURES) };
  }

  private attempt(submission: Submission, trust: TrustState, hooks: SubmissionHooks): Promise<PublishPackReply | FoundClaim> {
    return judgeAndCommit<Judged, PublishPackReply | FoundClaim>(this.unitOfWork, {
      tenant: submission.tenant,
      trust,
      judge: current => this.judge(submission, current, hooks),
      commit: async (tx, judged, current) => {
        const earlier = await hooks.earlier(tx);
        if (earlier) return earlier;
        const acceptance = { submission, ...judged, trust: current, now: this.clock.now() };
        const reply = await (judged.isAccepted ? acceptVersion(tx, acceptance) : claimVersion(tx, acceptance));
        if (!('claim' in reply)) await hooks.keep(tx, reply);
        return reply;
      },
    });
  }

  private async judge(
    submission: Submission,
    trust: TrustState,
    hooks: SubmissionHooks,
  ): Promise<{ judged: Judged } | { done: PublishPackReply }> {
    const verified = await this.verify(submission, trust);
    const isAccepted = verified.verdict.outcome === 'accepted';
    if (!isAccepted && submission.claim && submission.completesOnly) return { done: pendingReply(submission.claim, verified) };
    const { pack } = verified;
    const config = submission.artifact?.config ?? pack?.config;
    if (!pack || !config || !(isAccepted || mayWait(verified, trust, submission))) {
      return { done: await this.reject(submission, verified, hooks) };
    }
    hooks.check({ packId: pack.packId, version: pack.version, config: config.digest });
    const artifact = await this.prepare(submission, verified, config);
    const bench = { commands: this.commands, clock: this.clock, trust };
    const attestations = isAccepted ? await judgeAttestations(bench, submission, verified, artifact) : [];
    return { judged: { verified, artifact, isAccepted, attestations } };
  }

  private verify(submission: Submission, trust: TrustState): Promise<VerifyBundleReply> {
    const { tenant, packId, version, channel, bundle, signatures, attestations = [], artifact } = submission;
    const question = {
      ...{ tenant, packId, version, channel, bundle },
      ...(artifact && { manifest: artifact.stored }),
      signatures: signatures.map(({ blob }) => blob),
      ...judgedAttestations(
        trust.policies,
        attestations.map(({ document, predicateType }) => ({ ...document, predicateType })),
      ),
      policies: [...trust.policies],
      trust: { digest: trust.digest, epoch: trust.epoch, material: trust.material },
      evaluatedAt: this.clock.now().toISOString(),
    };
    return this.commands.send(VerifyBundle, question, verifyTimeoutMs(bundle.size));
  }

  private async prepare(submission: Submission, { verdict }: VerifyBundleReply, config: BlobRef): Promise<PreparedArtifact> {
    const { bundle, artifact } = submission;
    const manifest = JSON.parse((await readWhole(this.blobs, config, CONFIG_MAX_BYTES)).toString('utf8')) as PackManifest;
    const passed = new Set(
      verdict.checks.flatMap(({ id, outcome, evidence }) => (id === 'signature' && outcome === 'pass' ? [evidence] : [])),
    );
    // What was found beside the artifact belongs to the version as far as it counts; what the publisher sent is kept as a whole.
    const signatures = submission.signatures.filter(({ blob, referrer }) => !referrer || passed.has(blob.digest));
    const parts = { manifest, bundle, signatures, verdict };
    if (artifact) return keepArtifact(this.blobs, { ...parts, config, ociManifest: artifact.manifest });
    return prepareArtifact(this.blobs, { ...parts, config: config as StoredBlob });
  }

  /** Nothing of a rejected pack is kept but the verdict, the event and the answer. */
  private async reject(submission: Submission, verified: VerifyBundleReply, hooks: SubmissionHooks): Promise<PublishPackReply> {
    const { tenant, actor, source, channel, bundle } = submission;
    const { verdict, verdictHash, faults, pack } = verified;
    const reply: PublishPackReply = { outcome: 'rejected', verdict, verdictHash, faults };
    const event = newEvent(
      PackVersionRejected,
      {
        packId: pack?.packId ?? submission.packId,
        version: pack?.version ?? submission.version,
        ...{ actor, tenant, source, channel, verdictHash },
        signatures: [...verdict.evidence],
        metadataHash: verdict.subject.config ?? verdict.subject.bundle,
        digest: bundle.digest,
        reasons: reasonsOf(verified),
      },
      this.clock.now(),
    );
    return this.unitOfWork.run(tenant, async tx => {
      const earlier = await hooks.earlier(tx);
      if (earlier) return earlier;
      await tx.packs.addVerdict(tenant, verdict, verdictHash);
      await tx.outbox.append(event);
      await hooks.keep(tx, reply);
      return reply;
    });
  }
}
