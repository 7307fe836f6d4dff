import type { PublishPackReply, PublishPackRequest } from '@packs/contracts';
import { canonicalDigest, DomainError, type Digest } from '@packs/domain';
import type { BlobStore, RegistryTx, RegistryUnitOfWork } from '@packs/ports';
import { requireChannel } from '../update-channel/require-channel';
import type { PublishArtifact } from './publish-artifact';
import { readArtifact, readSignatures } from './read-artifact';

/** Publishes one bundle with the signatures sent along. The same request under the same key has one final answer. */
export class PublishPack {
  constructor(
    private readonly unitOfWork: RegistryUnitOfWork,
    private readonly blobs: BlobStore,
    private readonly publishArtifact: PublishArtifact,
  ) {}

  /** @throws DomainError for refusals that are not the verdict's: unknown channel, existing version, visibility, dependencies, idempotency */
  async execute(request: PublishPackRequest): Promise<PublishPackReply> {
    const { tenant, actor, source, packId, version, channel, bundle, signatures, manifestDigest } = request;
    const requestHash = hashOf(request);
    const begin = await this.unitOfWork.run(tenant, async tx => {
      const earlier = await earlierReply(tx, request, requestHash);
      if (!earlier) await requireChannel(tx, tenant, channel);
      return { earlier, trust: await tx.trust.state(tenant, 'none') };
    });
    if (begin.earlier) return begin.earlier;
    const artifact = request.artifact && (await readArtifact(this.blobs, request.artifact, bundle));
    const submission = {
      ...{ tenant, actor, source, packId, version, channel, bundle },
      signatures: await readSignatures(this.blobs, signatures, artifact),
      ...(artifact && { artifact }),
    };
    return this.publishArtifact.execute(submission, begin.trust, {
      earlier: tx => earlierReply(tx, request, requestHash),
      keep: (tx, reply) => keepReply(tx, request, requestHash, reply),
      check: ({ config }) => {
        if (manifestDigest === null || manifestDigest === config) return;
        throw new DomainError('ERR_PACK_MANIFEST_MISMATCH', "manifest is not the bundle's pack.yaml", {
          errors: [{ pointer: '/manifest', message: "differs from the bundle's pack.yaml" }],
        });
      },
    });
  }
}

function hashOf(request: PublishPackRequest): Digest {
  const { packId, version, channel, bundle, artifact, signatures, manifestDigest } = request;
  return canonicalDigest({
    packId,
    version,
    channel,
    bundle: bundle.digest,
    ...(artifact && { artifact: artifact.manifest.digest }),
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
  // A request of another kind has another hash.
  return earlier?.reply as PublishPackReply | undefined;
}

/** That a version waits is no final answer: asked again, it may be published or gone. */
async function keepReply(tx: RegistryTx, request: PublishPackRequest, requestHash: Digest, reply: PublishPackReply): Promise<void> {
  if (reply.outcome === 'pending') return;
  await tx.idempotency.put(request.tenant, request.idempotencyKey, requestHash, reply);
}
