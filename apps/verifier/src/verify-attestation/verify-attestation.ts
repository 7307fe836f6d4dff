import { Injectable } from '@nestjs/common';
import type { VerifyAttestationReply, VerifyAttestationRequest } from '@packs/contracts';
import { DomainError, selectPolicy, type SigningPolicy, type VerifiedIdentity } from '@packs/domain';
import { BlobStore, readWhole } from '@packs/ports';
import { MAX_ATTESTATION_BYTES, verifyAttestation, type AttestationResult } from '@packs/sigstore';
import { CheckList } from '../evaluation/check-list';
import { composeVerdict } from '../evaluation/compose-verdict';
import { DEADLINE_MS, withinDeadline } from '../evaluation/deadline';
import { failForWantOfPolicy, judgeSigners } from '../evaluation/judge-signers';
import { SignatureTimer } from '../evaluation/signature-timer';
import { TrustMaterials } from '../evaluation/trust-materials';

/** Judges whether a stored document attests something about a version: its bytes, its signatures, its statement, the policy, in this order. */
@Injectable()
export class VerifyAttestation {
  constructor(
    private readonly blobs: BlobStore,
    private readonly trust: TrustMaterials,
    private readonly timer: SignatureTimer,
  ) {}

  /** @throws DomainError ERR_PACK_UNAVAILABLE after the deadline; what the store and the trust material throw passes unchanged */
  execute(request: VerifyAttestationRequest, signal: AbortSignal = AbortSignal.timeout(DEADLINE_MS)): Promise<VerifyAttestationReply> {
    return withinDeadline(signal, async () => {
      const { attestation, subject } = request;
      const list = new CheckList();
      const policy = selectPolicy(request.policies, request) ?? null;
      const result = await this.verify(request, list);
      const identities = result ? identitiesOf(result, request) : [];
      const accepted = decide({ policy, result, identities }, request, list);
      const findings = { accepted, policy, evidence: [attestation.digest], identities };
      return {
        ...composeVerdict({ bundle: subject.bundle, attestation: attestation.digest }, request, findings, list),
        predicateType: result?.outcome === 'verified' ? result.predicateType : null,
      };
    });
  }

  /** Undefined when the stored bytes are not those of the digest. */
  private async verify({ attestation, subject, trust }: VerifyAttestationRequest, list: CheckList): Promise<AttestationResult | undefined> {
    const content = await this.read(attestation);
    if (!content) {
      list.fail('digest', {
        code: 'ERR_PACK_DIGEST_MISMATCH',
        message: 'the stored bytes do not have the digest and size they are named by',
      });
      list.skip('signature', 'not-reached', attestation.digest);
      list.skip('statement', 'not-reached', attestation.digest);
      return undefined;
    }
    list.pass('digest');
    const { keys } = await this.trust.of(trust);
    const start = performance.now();
    const result = verifyAttestation({ mediaType: attestation.mediaType, content, subjects: [subject.bundle, subject.manifest], keys });
    this.timer.observe((performance.now() - start) / 1000, timed(result));
    report(result, attestation.digest, list);
    return result;
  }

  private async read(attestation: VerifyAttestationRequest['attestation']): Promise<Buffer | undefined> {
    try {
      return await readWhole(this.blobs, attestation, MAX_ATTESTATION_BYTES);
    } catch (error) {
      if (error instanceof DomainError && error.code === 'ERR_PACK_CORRUPT') return undefined;
      throw error;
    }
  }
}

function report(result: AttestationResult, digest: VerifyAttestationRequest['attestation']['digest'], list: CheckList): void {
  if (result.outcome === 'signature-refused') {
    list.fail('signature', { code: result.reason, message: result.message }, digest);
    list.skip('statement', 'not-reached', digest);
    return;
  }
  list.pass('signature', digest);
  if (result.outcome === 'verified') list.pass('statement', digest);
  else list.fail('statement', { code: 'ERR_PACK_ATTESTATION_INVALID', message: result.message }, digest);
}

interface Findings {
  readonly policy: SigningPolicy | null;
  readonly result: AttestationResult | undefined;
  readonly identities: readonly VerifiedIdentity[];
}

/** A policy that lets unsigned packs in says nothing of attestations: without a trusted signer a statement is anybody's. */
function decide({ policy, result, identities }: Findings, request: VerifyAttestationRequest, list: CheckList): boolean {
  if (!policy) {
    failForWantOfPolicy(request, list);
    return false;
  }
  const satisfied = judgeSigners(policy, new Set(identities.map(({ name }) => name)), list);
  return satisfied && result?.outcome === 'verified';
}

function identitiesOf(result: AttestationResult, { attestation }: VerifyAttestationRequest): VerifiedIdentity[] {
  if (result.outcome === 'signature-refused') return [];
  const identities = result.signers.map(({ key, keyId }): VerifiedIdentity => ({
    kind: 'key',
    name: key.name,
    keyId,
    scheme: key.scheme,
    signature: attestation.digest,
  }));
  return identities.toSorted((a, b) => (a.name < b.name ? -1 : 1));
}

function timed(result: AttestationResult): 'valid' | 'invalid' | 'untrusted' {
  if (result.outcome !== 'signature-refused') return 'valid';
  return result.reason === 'ERR_PACK_SIGNATURE_UNTRUSTED' ? 'untrusted' : 'invalid';
}
