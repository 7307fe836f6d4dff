import type { AttestationMediaType, Digest, ErrorCode, SignatureMediaType, TrustMaterial } from '@packs/domain';
import { readDocument } from './read-document';
import type { VerificationReason } from './reasons';
import type { ArtifactSubject } from './signed-entity';
import { trustedRootsOf } from './trusted-root';
import { reasonOf, type SignerIdentity } from './verification-report';
import { ATTESTATION_LIMITS, ODD_PREDICATE_TYPE, PREDICATE_TYPE, verifyAttestation } from './verify-attestation';
import { verifyDocument, type DocumentTrust } from './verify-document';

/** A question as it goes to a worker: plain data, complete in itself but for the trust material, which is named. */
export type VerificationTask = SignatureTask | AttestationTask;

export interface SignatureTask {
  readonly kind: 'signature';
  readonly trust: Digest;
  readonly mediaType: SignatureMediaType;
  readonly content: Uint8Array;
  readonly subjects: readonly ArtifactSubject[];
  /** Whether the answer is to say what logs and timestamp authorities say of a signature that a key made; of certificates it always does. */
  readonly wantsEvidence?: boolean;
}

export interface AttestationTask {
  readonly kind: 'attestation';
  readonly trust: Digest;
  readonly mediaType: AttestationMediaType;
  readonly content: Uint8Array;
  readonly subjects: readonly Digest[];
}

/** Who signed, and how far what they signed was found good. */
export interface VerificationAnswer {
  readonly outcome: 'verified' | 'signature-refused' | 'statement-refused';
  readonly signers: readonly SignerIdentity[];
  readonly predicateType?: string;
  readonly refusal?: Refusal;
  /** The earliest of the times that somebody who is trusted gives for the signature. */
  readonly signedAt?: string;
  /** Whether a log that is trusted is proven to have it. */
  readonly isProven?: boolean;
}

export interface Refusal {
  readonly error: ErrorCode;
  readonly reason: VerificationReason;
  readonly message: string;
}

/** Somebody signed, and nobody is trusted for it: another answer than a signature that is wrong. */
const UNTRUSTED: readonly VerificationReason[] = [
  'trust-missing',
  'key-untrusted',
  'certificate-untrusted',
  'log-untrusted',
  'timestamp-untrusted',
];

/** @throws DomainError ERR_PACK_TRUST_INVALID for trust material that must not be trusted */
export function runTask(task: VerificationTask, material: TrustMaterial): VerificationAnswer {
  const trust: DocumentTrust = { roots: trustedRootsOf(material), keys: material.keys, keyEvidence: 'ignored' };
  return task.kind === 'signature' ? judgeSignature(task, trust) : judgeAttestation(task, trust);
}

export function refused(reason: VerificationReason, message: string): VerificationAnswer {
  const error = UNTRUSTED.includes(reason) ? 'ERR_PACK_SIGNATURE_UNTRUSTED' : 'ERR_PACK_SIGNATURE_INVALID';
  return { outcome: 'signature-refused', signers: [], refusal: { error, reason, message } };
}

function judgeSignature({ mediaType, content, subjects, wantsEvidence }: SignatureTask, trust: DocumentTrust): VerificationAnswer {
  const report = verifyDocument({
    document: () => readDocument(mediaType, content),
    subjects,
    trust: { ...trust, keyEvidence: wantsEvidence ? 'reported' : 'ignored' },
  });
  const reason = reasonOf(report);
  if (reason !== undefined) return refused(reason, report.message ?? 'the signature is not accepted');
  const { identity, times, isProven } = report;
  return { outcome: 'verified', signers: identity ? [identity] : [], signedAt: times[0]?.at, isProven };
}

function judgeAttestation({ mediaType, content, subjects }: AttestationTask, trust: DocumentTrust): VerificationAnswer {
  return isMadeByKey(mediaType, content)
    ? byKeys({ mediaType, content, subjects }, trust)
    : byCertificate({ mediaType, content, subjects }, trust);
}

type Attestation = Pick<AttestationTask, 'mediaType' | 'content' | 'subjects'>;

function isMadeByKey(mediaType: AttestationMediaType, content: Uint8Array): boolean {
  try {
    return readDocument(mediaType, content, ATTESTATION_LIMITS).signer.kind === 'key';
  } catch {
    return true;
  }
}

/** An envelope may be signed by several. */
function byKeys(attestation: Attestation, { keys }: DocumentTrust): VerificationAnswer {
  const result = verifyAttestation({ ...attestation, keys });
  if (result.outcome === 'signature-refused') {
    return { outcome: result.outcome, signers: [], refusal: { error: result.reason, reason: result.code, message: result.message } };
  }
  const signers = result.signers.map(({ key: { name, scheme }, keyId }): SignerIdentity => ({ kind: 'key', name, keyId, scheme }));
  if (result.outcome === 'verified') return { outcome: 'verified', signers, predicateType: result.predicateType };
  return {
    outcome: result.outcome,
    signers,
    refusal: { error: 'ERR_PACK_ATTESTATION_INVALID', reason: result.code, message: result.message },
  };
}

function byCertificate({ mediaType, content, subjects }: Attestation, trust: DocumentTrust): VerificationAnswer {
  const report = verifyDocument({
    document: () => readDocument(mediaType, content, ATTESTATION_LIMITS),
    subjects: subjects.map(digest => ({ digest })),
    trust,
    limits: ATTESTATION_LIMITS,
  });
  const reason = reasonOf(report);
  if (reason !== undefined) return refused(reason, report.message ?? 'the attestation is not accepted');
  const { predicateType } = report;
  if (predicateType === undefined) return refused('statement-invalid', 'the bundle holds a signature of bytes and no DSSE envelope');
  if (!PREDICATE_TYPE.test(predicateType)) return refused('statement-invalid', ODD_PREDICATE_TYPE);
  return { outcome: 'verified', signers: report.identity ? [report.identity] : [], predicateType };
}
