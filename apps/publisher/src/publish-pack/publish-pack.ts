import {
  newEvent,
  PackVersionRejected,
  VerifyBundle,
  verifyTimeoutMs,
  type PublishPackReply,
  type PublishPackRequest,
  type VerifyBundleReply,
} from '@packs/contracts';
import { canonicalDigest, DomainError, type Digest, type PackManifest } from '@packs/domain';
import {
  readWhole,
  type BlobStore,
  type Clock,
  type CommandBus,
  type RegistryTx,
  type RegistryUnitOfWork,
  type StoredBlob,
  type TrustState,
} from '@packs/ports';
import { judgeAndCommit } from '../judgement/judge-and-commit';
import { requireChannel } from '../update-channel/require-channel';
import { acceptVersion } from './accept-version';
import { prepareArtifact, type PreparedArtifact } from './prepare-artifact';

const CONFIG_MAX_BYTES = 1024 * 1024;

interface Accepted {
  readonly verified: VerifyBundleReply;
  readonly artifact: PreparedArtifact;
}

/**
 * Publishes one bundle: verdict, then one transaction that either makes the version visible, with its event, or changes nothing.
 * The commit of that transaction is the moment of truth.
 */
export class PublishPack {
  constructor(
    private readonly unitOfWork: RegistryUnitOfWork,
    private readonly commands: CommandBus,
    private readonly blobs: BlobStore,
    private readonly clock: Clock,
  ) {}

  /** @throws DomainError for refusals that are not the verdict's: unknown channel, existing version, visibility, dependencies, idempotency */
  async execute(request: PublishPackRequest): Promise<PublishPackReply> {
    const requestHash = hashOf(request);
    const begin = await this.unitOfWork.run(request.tenant, async tx => {
      const earlier = await earlierReply(tx, request, requestHash);
      if (!earlier) await requireChannel(tx, request.tenant, request.channel);
      return { earlier, trust: await tx.trust.state(request.tenant, 'none') };
    });
    if (begin.earlier) return begin.earlier;
    return judgeAndCommit<Accepted, PublishPackReply>(this.unitOfWork, {
      tenant: request.tenant,
      trust: begin.trust,
      judge: async trust => {
        const verified = await this.verify(request, trust);
        const config = verified.pack?.config;
        if (verified.verdict.outcome === 'rejected' || !config) return { done: await this.reject(request, requestHash, verified) };
        return { judged: { verified, artifact: await this.prepare(request, verified, config) } };
      },
      commit: async (tx, accepted, trust) => {
        const earlier = await earlierReply(tx, request, requestHash);
        if (earlier) return earlier;
        const reply = await acceptVersion(tx, { request, ...accepted, trust, now: this.clock.now() });
        await keepReply(tx, request, requestHash, reply);
        return reply;
      },
    });
  }

  private verify(request: PublishPackRequest, trust: TrustState): Promise<VerifyBundleReply> {
    const question = {
      tenant: request.tenant,
      packId: request.packId,
      version: request.version,
      channel: request.channel,
      bundle: request.bundle,
      signatures: request.signatures,
      policies: [...trust.policies],
      trust: { digest: trust.digest, epoch: trust.epoch, material: trust.material },
      evaluatedAt: this.clock.now().toISOString(),
    };
    return this.commands.send(VerifyBundle, question, verifyTimeoutMs(request.bundle.size));
  }

  private async prepare(request: PublishPackRequest, verified: VerifyBundleReply, config: StoredBlob): Promise<PreparedArtifact> {
    if (request.manifestDigest !== null && request.manifestDigest !== config.digest) {
      throw new DomainError('ERR_PACK_MANIFEST_MISMATCH', "manifest is not the bundle's pack.yaml", {
        errors: [{ pointer: '/manifest', message: "differs from the bundle's pack.yaml" }],
      });
    }
    const manifest = JSON.parse((await readWhole(this.blobs, config, CONFIG_MAX_BYTES)).toString('utf8')) as PackManifest;
    return prepareArtifact(this.blobs, {
      manifest,
      config,
      bundle: request.bundle,
      signatures: request.signatures,
      verdict: verified.verdict,
    });
  }

  /** Nothing of a rejected pack is kept but the verdict, the event and the answer. */
  private async reject(request: PublishPackRequest, requestHash: Digest, verified: VerifyBundleReply): Promise<PublishPackReply> {
    const { verdict, verdictHash, faults, pack } = verified;
    const reply: PublishPackReply = { outcome: 'rejected', verdict, verdictHash, faults };
    const event = newEvent(
      PackVersionRejected,
      {
        packId: pack?.packId ?? request.packId,
        version: pack?.version ?? request.version,
        actor: request.actor,
        tenant: request.tenant,
        source: request.source,
        signatures: [...verdict.evidence],
        metadataHash: verdict.subject.config ?? verdict.subject.bundle,
        digest: request.bundle.digest,
        channel: request.channel,
        verdictHash,
        reasons: [...new Set(verdict.checks.filter(check => check.outcome === 'fail').map(check => check.reason))],
      },
      this.clock.now(),
    );
    return this.unitOfWork.run(request.tenant, async tx => {
      const earlier = await earlierReply(tx, request, requestHash);
      if (earlier) return earlier;
      await tx.packs.addVerdict(request.tenant, verdict, verdictHash);
      await tx.outbox.append(event);
      await keepReply(tx, request, requestHash, reply);
      return reply;
    });
  }
}

function hashOf(request: PublishPackRequest): Digest {
  const { packId, version, channel, bundle, signatures, manifestDigest } = request;
  return canonicalDigest({
    packId,
    version,
    channel,
    bundle: bundle.digest,
    signatures: signatures.map(signature => signature.digest),
    manifestDigest,
  });
}

async function earlierReply(tx: RegistryTx, request: PublishPackRequest, requestHash: Digest): Promise<PublishPackReply | undefined> {
  const earlier = await tx.idempotency.find(request.tenant, request.idempotencyKey);
  if (earlier && earlier.requestHash !== requestHash) {
    throw new DomainError('ERR_PACK_IDEMPOTENCY_MISMATCH', 'this Idempotency-Key was used for a different request', {
      errors: [{ field: 'Idempotency-Key', message: 'was used for a different request' }],
    });
  }
  return earlier?.reply;
}

async function keepReply(tx: RegistryTx, request: PublishPackRequest, requestHash: Digest, reply: PublishPackReply): Promise<void> {
  await tx.idempotency.put(request.tenant, request.idempotencyKey, requestHash, reply);
}
