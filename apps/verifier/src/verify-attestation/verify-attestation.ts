import { Injectable } from '@nestjs/common';
import type { VerifyAttestationReply, VerifyAttestationRequest } from '@packs/contracts';
import { DomainError, type SigningPolicy, type VerifiedIdentity } from '@packs/domain';
import { BlobStore, readWhole } from '@packs/ports';
import { MAX_ATTESTATION_BYTES, type VerificationAnswer } from '@packs/sigstore';
import { ruleFor } from '../evaluation/attestation-evaluator';
import { CheckList } from '../evaluation/check-list';
import { allowedSigners, checkAlgorithm } from '../evaluation/check-signature';
import { composeVerdict } from '../evaluation/compose-verdict';
import { DEADLINE_MS, withinDeadline } from '../evaluation/deadline';
import { failForWantOfPolicy, judgeSigners } from '../evaluation/judge-signers';
import { SignatureTimer, timedAs } from '../evaluation/signature-timer';
import { requireFinished, SignatureVerifier } from '../evaluation/signature-verifier';
import { TrustMaterials } from '../evaluation/trust-materials';
import { distinct, identityOf, ruleSigner } from '../evaluation/verified-identities';
import { decidingPolicy } from './deciding-policy';

/** Judges whether a stored document attests something about a version: its bytes, its signatures, its statement, the policy, in this order. */
@Injectable()
export class VerifyAttestation {
  constructor(
    private readonly blobs: BlobStore,
    private readonly trust: TrustMaterials,
    private readonly verifier: SignatureVerifier,
    private readonly timer: SignatureTimer,
  ) {}

  /** @throws DomainError ERR_PACK_UNAVAILABLE after the deadline; what the store and the trust material throw passes unchanged */
  execute(request: VerifyAttestationRequest, signal: AbortSignal = AbortSignal.timeout(DEADLINE_MS)): Promise<VerifyAttestationReply> {
    return withinDeadline(signal, async () => {
      const { attestation, subject } = request;
      const list = new CheckList();
      const result = await this.verify(request, list);
      const policy = decidingPolicy(request, result);
      const identities = result ? identitiesOf(result, policy, request) : [];
      const accepted = decide({ policy, result }, request, list);
      const findings = { accepted, policy, evidence: [attestation.digest], identities };
      return {
        ...composeVerdict({ bundle: subject.bundle, attestation: attestation.digest }, request, findings, list),
        predicateType: result?.predicateType ?? null,
      };
    });
  }

  /** Undefined when the stored bytes are not those of the digest. */
  private async verify(
    { attestation, subject, trust }: VerifyAttestationRequest,
    list: CheckList,
  ): Promise<VerificationAnswer | undefined> {
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
    const material = await this.trust.of(trust);
    const start = performance.now();
    const subjects = [subject.bundle, subject.manifest];
    const { mediaType } = attestation;
    const result = await this.verifier.verify({ kind: 'attestation', trust: trust.digest, mediaType, content, subjects }, material);
    this.timer.observe((performance.now() - start) / 1000, timedAs(result));
    requireFinished(result);
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

function report(
  { outcome, refusal }: VerificationAnswer,
  digest: VerifyAttestationRequest['attestation']['digest'],
  list: CheckList,
): void {
  if (refusal && outcome === 'signature-refused') {
    list.fail('signature', { code: refusal.error, reason: refusal.reason, message: refusal.message }, digest);
    list.skip('statement', 'not-reached', digest);
    return;
  }
  list.pass('signature', digest);
  if (refusal) list.fail('statement', { code: 'ERR_PACK_ATTESTATION_INVALID', message: refusal.message }, digest);
  else list.pass('statement', digest);
}

interface Findings {
  readonly policy: SigningPolicy | null;
  readonly result: VerificationAnswer | undefined;
}

/** A policy that lets unsigned packs in says nothing of attestations: without a trusted signer a statement is anybody's. */
function decide({ policy, result }: Findings, request: VerifyAttestationRequest, list: CheckList): boolean {
  if (!policy) {
    failForWantOfPolicy(request, list);
    return false;
  }
  const signers = result ? signersOf(policy, result, request, list) : [];
  const rule = ruleFor(policy, result?.predicateType);
  return judgeSigners({ ...policy, rule }, signers.map(ruleSigner), list) && result?.outcome === 'verified';
}

/** Logs and age are asked of what signs the pack, algorithms of all that is signed. */
function signersOf(
  { require = {} }: SigningPolicy,
  answer: VerificationAnswer,
  { attestation, evaluatedAt }: VerifyAttestationRequest,
  list: CheckList,
): VerificationAnswer['signers'] {
  if (answer.signers.length === 0) return [];
  return checkAlgorithm(require, { answer, evidence: attestation.digest, evaluatedAt }, list);
}

function identitiesOf(
  answer: VerificationAnswer,
  policy: SigningPolicy | null,
  { attestation }: VerifyAttestationRequest,
): VerifiedIdentity[] {
  return distinct(allowedSigners(policy?.require ?? {}, answer).map(signer => identityOf(signer, attestation.digest)));
}
