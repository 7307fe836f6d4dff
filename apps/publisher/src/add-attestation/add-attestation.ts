import type { AddAttestationReply, AddAttestationRequest, VerifyAttestationReply } from '@packs/contracts';
import {
  DomainError,
  EMPTY_JSON,
  encodeAttestationManifest,
  lacksTrustAlone,
  MEDIA_TYPES,
  type Descriptor,
  type EncodedManifest,
} from '@packs/domain';
import {
  readWhole,
  type BlobStore,
  type Clock,
  type CommandBus,
  type ExistingVersion,
  type ProvisionalAttestation,
  type RecordedAttestation,
  type RegistryTx,
  type RegistryUnitOfWork,
  type StoredBlob,
  type TrustState,
} from '@packs/ports';
import { MAX_ATTESTATION_BYTES, readUnverified } from '@packs/sigstore';
import { lockVersion } from '../deprecate-version/lock-version';
import { askVerifier, type Answered } from '../judgement/ask-verifier';
import { judgeAndCommit } from '../judgement/judge-and-commit';
import { writeWhole } from '../publish-pack/prepare-artifact';
import { keepProvisional, requireRoom } from './keep-provisional';
import { recordAttestation } from './record-attestation';

interface Attested {
  readonly existing: ExistingVersion;
  readonly subject: Descriptor;
}

export interface Carrier {
  readonly referrer: EncodedManifest;
  /** Stored but not yet recorded. */
  readonly blobs: readonly StoredBlob[];
}

interface Accepted extends Attested, Carrier {
  readonly verified: Answered<VerifyAttestationReply>;
  readonly predicateType: string;
}

interface Untrusted extends Attested {
  readonly verified: Answered<VerifyAttestationReply>;
  readonly predicateType: string;
}

/** Adds what a trusted signer states about a version. A document that was added before is found again by its digest. */
export class AddAttestation {
  constructor(
    private readonly unitOfWork: RegistryUnitOfWork,
    private readonly commands: CommandBus,
    private readonly blobs: BlobStore,
    private readonly clock: Clock,
  ) {}

  /**
   * @param carrier the manifest the document came in, kept byte for byte; without it one is made
   * @throws DomainError ERR_PACK_NOT_FOUND, ERR_PACK_LIMIT
   */
  async execute(request: AddAttestationRequest, carrier?: Carrier): Promise<AddAttestationReply> {
    const { tenant } = request;
    const begin = await this.unitOfWork.run(tenant, async tx => ({
      earlier: await earlierReply(tx, request),
      attested: await this.find(tx, request),
      kept: request.provisional ? await tx.attestationStates.provisional({ ...request, digest: request.attestation.digest }) : undefined,
      trust: await tx.trust.state(tenant, 'none'),
    }));
    if (begin.earlier) return begin.earlier;
    return judgeAndCommit<Accepted | Untrusted, AddAttestationReply>(this.unitOfWork, {
      tenant,
      trust: begin.trust,
      judge: async trust => {
        const verified = await this.verify(request, begin.attested, trust);
        const { verdict, verdictHash, faults, predicateType } = verified;
        if (verdict.outcome === 'rejected' || predicateType === null) {
          const namesSigner = request.attestation.mediaType !== MEDIA_TYPES.dsseEnvelope;
          const isKept = request.provisional === true && (begin.kept !== undefined || lacksTrustAlone(verdict, namesSigner));
          if (isKept) return { judged: await this.asIs(request, begin, verified) };
          return { done: { outcome: 'rejected', verdict, verdictHash, faults } };
        }
        return { judged: await this.prepare(request, begin.attested, { verified, predicateType, carrier }) };
      },
      commit: (tx, judged, trust) =>
        'referrer' in judged ? this.commit(tx, request, judged) : keepProvisional(tx, { request, ...judged, trust, now: this.clock.now() }),
    });
  }

  private async find(tx: RegistryTx, { tenant, packId, version }: AddAttestationRequest): Promise<Attested> {
    const existing = await tx.packs.findVersion(tenant, packId, version);
    const subject = await tx.attestations.subject(tenant, packId, version);
    if (existing?.version === version && subject) return { existing, subject };
    throw new DomainError('ERR_PACK_NOT_FOUND', `no version ${version} of pack ${packId}`);
  }

  private verify(
    { tenant, packId, version, attestation }: AddAttestationRequest,
    { existing }: Attested,
    trust: TrustState,
  ): Promise<Answered<VerifyAttestationReply>> {
    const request = {
      tenant,
      channel: existing.channel,
      packType: existing.type,
      attestation,
      subject: { bundle: existing.digest, manifest: existing.manifestDigest },
      policies: [...trust.policies],
      trust: { digest: trust.digest, epoch: trust.epoch, material: trust.material },
      evaluatedAt: this.clock.now().toISOString(),
    };
    return askVerifier(this.commands, 'verify-attestation', request, { packId, version });
  }

  /**
   * What the document says of itself: it has to be about the version, or no trust in the world would make it an attestation of it. One that is kept has
   * been read, and may be damaged since.
   */
  private async asIs(
    { attestation }: AddAttestationRequest,
    { attested, kept }: { readonly attested: Attested; readonly kept: ProvisionalAttestation | undefined },
    verified: Answered<VerifyAttestationReply>,
  ): Promise<Untrusted> {
    if (kept) return { ...attested, verified, predicateType: kept.predicateType };
    const { digest, manifestDigest } = attested.existing;
    const content = await readWhole(this.blobs, attestation, MAX_ATTESTATION_BYTES);
    const { predicateType } = readUnverified(attestation.mediaType, content, [digest, manifestDigest]);
    return { ...attested, verified, predicateType };
  }

  /** The referrer, on stable storage. */
  private async prepare(
    { attestation }: AddAttestationRequest,
    attested: Attested,
    { verified, predicateType, carrier }: Omit<Accepted, keyof Attested | keyof Carrier> & { readonly carrier: Carrier | undefined },
  ): Promise<Accepted> {
    if (carrier) return { ...attested, verified, predicateType, ...carrier };
    const { mediaType, digest, size } = attestation;
    const referrer = encodeAttestationManifest({ mediaType, digest, size }, attested.subject, predicateType);
    const blobs = await Promise.all([referrer.bytes, EMPTY_JSON].map(bytes => writeWhole(this.blobs, bytes)));
    return { ...attested, verified, predicateType, referrer, blobs };
  }

  private async commit(tx: RegistryTx, request: AddAttestationRequest, accepted: Accepted): Promise<AddAttestationReply> {
    const { tenant, packId, version } = request;
    await lockVersion(tx, tenant, packId, version);
    const earlier = await earlierReply(tx, request);
    if (earlier) return earlier;
    await tx.attestationStates.forget({ tenant, packId, version, digest: request.attestation.digest });
    await requireRoom(tx, request);
    const { verified, subject, existing, referrer, blobs } = accepted;
    const { actor: addedBy, source, attestation: document } = request;
    const { verdict, verdictHash, question } = verified;
    const now = this.clock.now();
    const addedAt = now.toISOString();
    const signers = verdict.identities.map(({ name, keyId, scheme }) => ({ name, keyId, scheme }));
    const { predicateType } = accepted;
    const added = {
      tenant,
      packId,
      version,
      document,
      predicateType,
      referrer,
      signers,
      verdict,
      verdictHash,
      question,
      addedAt,
      source,
      blobs,
    };
    await recordAttestation(tx, { ...added, subject: subject.digest, actor: addedBy }, existing, now);
    const recorded: RecordedAttestation = {
      digest: document.digest,
      mediaType: document.mediaType,
      size: document.size,
      predicateType,
      manifestDigest: referrer.digest,
      signers,
      verdictHash,
      state: 'verified',
      stateReason: null,
      addedAt,
      addedBy,
    };
    return toReply('added', recorded);
  }
}

async function earlierReply(
  tx: RegistryTx,
  { tenant, packId, version, attestation }: AddAttestationRequest,
): Promise<AddAttestationReply | undefined> {
  const recorded = await tx.attestations.find(tenant, packId, version, attestation.digest);
  return recorded && toReply('already-added', recorded);
}

function toReply(outcome: 'added' | 'already-added', recorded: RecordedAttestation): AddAttestationReply {
  return { outcome, ...recorded, signers: [...recorded.signers] };
}
