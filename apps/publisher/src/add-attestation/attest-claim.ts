import type { AddAttestationReply, AddAttestationRequest } from '@packs/contracts';
import { DomainError, EMPTY_DESCRIPTOR, EMPTY_JSON, encodeAttestationManifest } from '@packs/domain';
import type { BlobStore, Clock, PendingVersion, RegistryUnitOfWork } from '@packs/ports';
import { recordOf } from '../publish-pack/claim-version';
import { writeWhole } from '../publish-pack/prepare-artifact';
import type { CompletePending } from '../put-manifest/complete-pending';
import { requireRoom } from '../put-manifest/put-referrer';
import { readDocument } from '../put-manifest/read-document';
import type { AddAttestation } from './add-attestation';

/** Keeps what is stated about a version that waits, and asks for another verdict on it: it may be what was wanting. */
export class AttestClaim {
  constructor(
    private readonly unitOfWork: RegistryUnitOfWork,
    private readonly blobs: BlobStore,
    private readonly clock: Clock,
    private readonly completePending: CompletePending,
    private readonly addAttestation: AddAttestation,
  ) {}

  /**
   * @returns undefined when the version does not wait
   * @throws DomainError ERR_PACK_ATTESTATION_INVALID for what is no attestation, ERR_PACK_LIMIT
   */
  async execute(request: AddAttestationRequest): Promise<AddAttestationReply | undefined> {
    const { tenant, packId, version, attestation } = request;
    const claim = await this.unitOfWork.run(tenant, tx => tx.pendingVersions.find(tenant, packId, version));
    if (claim?.version !== version) return undefined;
    const document = await readDocument(this.blobs, attestation, attestation.mediaType);
    if (document?.kind !== 'attestation') throw new DomainError('ERR_PACK_ATTESTATION_INVALID', 'the document is no attestation');
    const { predicateType } = document;
    const { digest, mediaType, size } = attestation;
    const referrer = await this.keep(request, claim, predicateType);
    if (!referrer) return undefined;
    const state = await this.completePending.execute(request, packId, version);
    if (state === 'pending') return { outcome: 'waiting', digest, mediaType, size, predicateType, manifestDigest: referrer };
    const reply = await this.addAttestation.execute(request);
    return reply.outcome === 'already-added' ? { ...reply, outcome: 'added' } : reply;
  }

  /** @returns the digest of its referrer; undefined when the version waits no more */
  private async keep({ tenant, packId, actor, attestation }: AddAttestationRequest, claim: PendingVersion, predicateType: string) {
    const { mediaType, digest, size } = attestation;
    const { manifest: subject } = claim;
    const referrer = encodeAttestationManifest({ mediaType, digest, size }, subject, predicateType);
    const newBlobs = await Promise.all([referrer.bytes, EMPTY_JSON].map(bytes => writeWhole(this.blobs, bytes)));
    return this.unitOfWork.run(tenant, async tx => {
      await tx.repositories.lockPack(tenant, packId);
      const found = await tx.repositories.versionOf(tenant, packId, subject.digest);
      if (found?.state !== 'pending') return undefined;
      await requireRoom(tx, { tenant, repository: packId, manifest: referrer }, subject.digest);
      await tx.repositories.addReferrer({
        ...{ tenant, repository: packId, actor, newBlobs },
        manifest: recordOf(referrer, subject.digest),
        taggedSubject: null,
        tag: null,
        blobs: [digest, EMPTY_DESCRIPTOR.digest],
        at: this.clock.now().toISOString(),
      });
      return referrer.digest;
    });
  }
}
