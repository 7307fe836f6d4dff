import {
  DomainError,
  revokedAmong,
  sha256,
  type AttestationMediaType,
  type Digest,
  type ErrorCode,
  type SignatureMediaType,
  type TrustMaterial,
} from '@packs/domain';
import type { ArtifactSubject } from './artifact-subject';
import { ATTESTATION_LIMITS } from './attestation-limits';
import { provenTimes } from './proven-times';
import { readDocument } from './read-document';
import { checkOf, type VerificationReason } from './reasons';
import { unreadable, type SignatureFault } from './signature-fault';
import type { SignedDocument } from './signed-document';
import { REFUSED_STANDING, requireKeyStands, revokedContent, type Standing } from './signer-standing';
import { trustedRootsOf } from './trusted-root';
import { reasonOf, type SignerIdentity } from './verification-report';
import { envelopeFault, ODD_PREDICATE_TYPE, PREDICATE_TYPE, recorded, verifyAttestation } from './verify-attestation';
import { verifyDocument, type DocumentTrust } from './verify-document';

/** A question as it goes to a worker: plain data, complete in itself but for the trust material, which is named. */
export type VerificationTask = SignatureTask | AttestationTask;

export interface SignatureTask {
  readonly kind: 'signature';
  readonly trust: Digest;
  /** RFC 3339: what the times of keys are judged by where nothing proves when they signed. */
  readonly evaluatedAt: string;
  readonly mediaType: SignatureMediaType;
  readonly content: Uint8Array;
  readonly subjects: readonly ArtifactSubject[];
  /** Whether the answer is to say what logs and timestamp authorities say of a signature that a key made; of certificates it always does. */
  readonly wantsEvidence?: boolean;
}

export interface AttestationTask {
  readonly kind: 'attestation';
  readonly trust: Digest;
  readonly evaluatedAt: string;
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

type TaskTrust = DocumentTrust & { readonly standing: Standing };

/** @throws DomainError ERR_PACK_TRUST_INVALID for trust material that must not be trusted */
export function runTask(task: VerificationTask, material: TrustMaterial): VerificationAnswer {
  const content = revokedContentOf(task, material);
  if (content) return refused(content.code, content.message);
  const standing: Standing = { evaluatedAt: new Date(task.evaluatedAt), ...(material.revoked && { revoked: material.revoked }) };
  const trust: TaskTrust = { roots: trustedRootsOf(material), keys: material.keys, keyEvidence: 'ignored', standing };
  try {
    return task.kind === 'signature' ? judgeSignature(task, trust) : judgeAttestation(task, trust);
  } catch (error) {
    if (error instanceof DomainError) throw error;
    const { code, message } = unreadable(error);
    return refused(code, message);
  }
}

function revokedContentOf(task: VerificationTask, { revoked }: TrustMaterial): SignatureFault | undefined {
  if (!revoked?.digests) return undefined;
  const subjects = task.kind === 'signature' ? task.subjects.map(({ digest }) => digest) : task.subjects;
  const found = revokedAmong(revoked, [sha256(task.content), ...subjects]);
  return found && revokedContent(found);
}

/** Whether a verification came to an answer: of one that was broken off nothing is known, not even that the signature is bad. */
export function isFinished({ refusal }: VerificationAnswer): boolean {
  return refusal?.reason !== 'verification-timeout' && refusal?.reason !== 'verification-failed';
}

export function refused(reason: VerificationReason, message: string): VerificationAnswer {
  return { outcome: 'signature-refused', signers: [], refusal: { error: errorOf(reason), reason, message } };
}

function errorOf(reason: VerificationReason): ErrorCode {
  const standing: Readonly<Partial<Record<VerificationReason, ErrorCode>>> = REFUSED_STANDING;
  return standing[reason] ?? (UNTRUSTED.includes(reason) ? 'ERR_PACK_SIGNATURE_UNTRUSTED' : 'ERR_PACK_SIGNATURE_INVALID');
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

type Attestation = Pick<AttestationTask, 'mediaType' | 'content' | 'subjects'>;

function judgeAttestation({ mediaType, content, subjects }: AttestationTask, trust: TaskTrust): VerificationAnswer {
  const attestation = { mediaType, content, subjects };
  const document = certified(attestation);
  return document ? byCertificate(document, attestation, trust) : byKeys(attestation, trust);
}

/** The document that somebody signed with a certificate. */
function certified({ mediaType, content }: Attestation): SignedDocument | undefined {
  try {
    const document = readDocument(mediaType, content, ATTESTATION_LIMITS);
    return document.signer.kind === 'certificate' ? document : undefined;
  } catch {
    return undefined;
  }
}

/** An envelope may be signed by several. */
function byKeys(attestation: Attestation, { keys, roots, standing }: TaskTrust): VerificationAnswer {
  const { mediaType, content } = attestation;
  const subjects = attestation.subjects.map(recorded);
  const result = verifyAttestation({
    ...attestation,
    keys,
    requireStands: key => {
      const document = readDocument(mediaType, content, ATTESTATION_LIMITS);
      requireKeyStands(key, standing, provenTimes(document, key, { standing, subjects, roots }));
    },
  });
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

function byCertificate(document: SignedDocument, { subjects }: Attestation, trust: DocumentTrust): VerificationAnswer {
  const fault = envelopeFault(document.content);
  if (fault !== undefined) return refused('document-malformed', fault);
  const report = verifyDocument({ document: () => document, subjects: subjects.map(recorded), trust, limits: ATTESTATION_LIMITS });
  const reason = reasonOf(report);
  const { predicateType, signedBy, message = 'the attestation is not accepted' } = report;
  if (reason !== undefined && signedBy && checkOf(reason) === 'subject') return statementRefused(signedBy, reason, message);
  if (reason !== undefined || !report.identity) return refused(reason ?? 'signature-invalid', message);
  if (predicateType === undefined || !PREDICATE_TYPE.test(predicateType)) {
    return statementRefused(report.identity, 'statement-invalid', ODD_PREDICATE_TYPE);
  }
  return { outcome: 'verified', signers: [report.identity], predicateType };
}

function statementRefused(signer: SignerIdentity, reason: VerificationReason, message: string): VerificationAnswer {
  return { outcome: 'statement-refused', signers: [signer], refusal: { error: 'ERR_PACK_ATTESTATION_INVALID', reason, message } };
}
