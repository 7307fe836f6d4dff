import { Injectable } from '@nestjs/common';
import {
  revokedAmong,
  selectPolicy,
  type Digest,
  type PackType,
  type Signer,
  type SignatureMediaType,
  type SigningPolicy,
  type VerifiedIdentity,
} from '@packs/domain';
import { BlobStore, readWhole, type BlobRef } from '@packs/ports';
import { MAX_SIGNATURE_BYTES, refused, type ArtifactSubject, type VerificationAnswer } from '@packs/sigstore';
import { AttestationEvaluator, type AttestationRef } from './attestation-evaluator';
import type { BundleSource } from './bundle-source';
import type { Artifact } from './check-artifact';
import type { CheckList } from './check-list';
import { asksForEvidence, checkSignature } from './check-signature';
import { failForWantOfPolicy, judgeSigners } from './judge-signers';
import { SignatureTimer, timedAs } from './signature-timer';
import { requireFinished, SignatureVerifier } from './signature-verifier';
import { TrustMaterials, type TrustRef } from './trust-materials';
import { distinct, identityOf, ruleSigner } from './verified-identities';

export type SignatureRef = BlobRef & { readonly mediaType: SignatureMediaType };

export interface SignedBundle {
  readonly bundle: BlobRef;
  readonly source: BundleSource;
  /** The OCI manifest, shown to be one of the bundle. */
  readonly artifact?: Artifact;
  /** What its OCI manifest will be, where it is still to be made. */
  readonly manifestToBe?: Digest;
  readonly signatures: readonly SignatureRef[];
  readonly attestations?: readonly AttestationRef[];
  readonly policies: readonly SigningPolicy[];
  readonly channel: string;
  readonly packType: PackType;
  readonly trust: TrustRef;
  /** RFC 3339. */
  readonly evaluatedAt: string;
}

interface Question {
  readonly signed: SignedBundle;
  readonly policy: SigningPolicy | null;
  readonly material: Uint8Array;
}

export interface SignatureFindings {
  readonly accepted: boolean;
  readonly policy: SigningPolicy | null;
  readonly evidence: readonly Digest[];
  /** Absent where the policy requires none. */
  readonly attestations?: readonly Digest[];
  readonly identities: readonly VerifiedIdentity[];
}

export const NOT_EVALUATED: SignatureFindings = { accepted: false, policy: null, evidence: [], identities: [] };

/** What is known of the bundle beside its digest. */
type Known = Pick<ArtifactSubject, 'bytes' | 'hashes'>;

/** Larger artifacts are never held as a whole. */
const MAX_WHOLE_ARTIFACT = 64 * 1024 * 1024;

/** Checks every signature of a bundle and asks the policy that binds it whether the signers suffice. */
@Injectable()
export class SignatureEvaluator {
  constructor(
    private readonly blobs: BlobStore,
    private readonly trust: TrustMaterials,
    private readonly verifier: SignatureVerifier,
    private readonly timer: SignatureTimer,
    private readonly attestations: AttestationEvaluator,
  ) {}

  /**
   * A signature that fails is reported and counts for nothing; it takes nothing from those that are valid.
   * @throws DomainError ERR_PACK_UNAVAILABLE for one that was not looked at to its end, whatever the others are worth: a verdict says nothing of the machine
   */
  async evaluate(signed: SignedBundle, list: CheckList): Promise<SignatureFindings> {
    const policy = selectPolicy(signed.policies, signed) ?? null;
    const { bytes: material, revoked } = await this.trust.of(signed.trust);
    const named = [signed.bundle.digest, signed.artifact?.digest, signed.manifestToBe].filter(digest => digest !== undefined);
    const revokedContent = revokedAmong(revoked, named);
    if (revokedContent) {
      list.revoked(revokedContent);
      list.skipSignatures(signed.signatures);
      return NOT_EVALUATED;
    }
    const found: VerifiedIdentity[] = [];
    const signers: Signer[] = [];
    for (const [index, ref] of signed.signatures.entries()) {
      const answer = await this.timed(() => this.verify(ref, { signed, policy, material }));
      requireFinished(answer);
      if (!counts(answer, { policy, evidence: ref.digest, field: `signatures[${index}]`, evaluatedAt: signed.evaluatedAt }, list)) continue;
      found.push(...answer.signers.map(signer => identityOf(signer, ref.digest)));
      signers.push(...answer.signers.map(ruleSigner));
    }
    const isSigned = decide(policy, signed, signers, list);
    const accepted = policy ? (await this.isAttested(signed, policy, material, list)) && isSigned : isSigned;
    const evidence = signed.signatures.map(({ digest }) => digest);
    const attestations = policy?.require?.attestations && (signed.attestations ?? []).map(({ digest }) => digest);
    return { accepted, policy, evidence, attestations, identities: distinct(found) };
  }

  private isAttested(signed: SignedBundle, policy: SigningPolicy, material: Uint8Array, list: CheckList): Promise<boolean> {
    const { bundle, artifact, attestations, trust, evaluatedAt } = signed;
    const subjects = [bundle.digest, ...(artifact ? [artifact.digest] : [])];
    return this.attestations.evaluate({ attestations, subjects, policy, trust, evaluatedAt }, material, list);
  }

  private async verify(ref: SignatureRef, { signed, policy, material }: Question): Promise<VerificationAnswer> {
    if (ref.size > MAX_SIGNATURE_BYTES) {
      return refused('document-malformed', `a signature document has at most ${MAX_SIGNATURE_BYTES} bytes`);
    }
    const { bundle, source, artifact, trust, evaluatedAt } = signed;
    const content = await readWhole(this.blobs, ref, MAX_SIGNATURE_BYTES);
    const ask = (known: Known): Promise<VerificationAnswer> => {
      const subjects: ArtifactSubject[] = [{ ...known, digest: bundle.digest, kind: 'bundle' }, ...(artifact ? [artifact] : [])];
      const wantsEvidence = policy?.require ? asksForEvidence(policy.require) : false;
      const { mediaType } = ref;
      const task = { kind: 'signature', trust: trust.digest, evaluatedAt, mediaType, content, subjects, wantsEvidence } as const;
      return this.verifier.verify(task, material);
    };
    const answer = await ask({ bytes: source.held });
    return needsMore(answer) ? this.withBytes(signed, ask) : answer;
  }

  /** Some signatures are of another hash, and some statements name a digest that nobody has recorded. The bytes are proven as they are read again. */
  private async withBytes(
    { bundle, source }: SignedBundle,
    ask: (known: Known) => Promise<VerificationAnswer>,
  ): Promise<VerificationAnswer> {
    if (bundle.size <= MAX_WHOLE_ARTIFACT) return ask({ bytes: await readWhole(this.blobs, bundle, MAX_WHOLE_ARTIFACT) });
    const answer = await ask({ hashes: await source.hashes() });
    if (!needsMore(answer)) return answer;
    // Ed25519 hashes the whole message, twice.
    const message = `this signature is checked with the artifact's bytes, of which there may be ${MAX_WHOLE_ARTIFACT}; sign an in-toto statement (DSSE) that names its SHA-256 instead`;
    return refused('subject-bytes-needed', message);
  }

  private async timed(verify: () => Promise<VerificationAnswer>): Promise<VerificationAnswer> {
    const start = performance.now();
    const result = await verify();
    this.timer.observe((performance.now() - start) / 1000, timedAs(result));
    return result;
  }
}

interface Counted {
  readonly policy: SigningPolicy | null;
  readonly evidence: Digest;
  readonly field: string;
  readonly evaluatedAt: string;
}

function counts(answer: VerificationAnswer, { policy, evidence, field, evaluatedAt }: Counted, list: CheckList): boolean {
  if (answer.refusal) {
    const { error, reason, message } = answer.refusal;
    list.fail('signature', { code: error, reason, message, field }, evidence);
    return false;
  }
  list.pass('signature', evidence);
  return !policy?.require || checkSignature(policy.require, { answer, evidence, field, evaluatedAt }, list);
}

function needsMore({ refusal }: VerificationAnswer): boolean {
  return refusal?.reason === 'subject-bytes-needed';
}

function decide(policy: SigningPolicy | null, signed: SignedBundle, signers: readonly Signer[], list: CheckList): boolean {
  const unsigned = signed.signatures.length === 0;
  if (!policy) {
    if (unsigned) list.skip('signature', 'not-reached');
    failForWantOfPolicy(signed, list);
    return false;
  }
  if (unsigned && policy.unsigned === 'allow') {
    list.passUnsigned();
    return true;
  }
  if (unsigned) list.fail('signature', { code: 'ERR_PACK_SIGNATURE_MISSING', message: `policy ${policy.name} requires a signature` });
  return judgeSigners(policy, signers, list);
}
