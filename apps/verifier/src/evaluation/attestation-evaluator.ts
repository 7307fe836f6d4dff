import { Injectable } from '@nestjs/common';
import {
  isSatisfied,
  signersOf,
  type AttestationMediaType,
  type Digest,
  type RequiredAttestation,
  type SigningPolicy,
} from '@packs/domain';
import { BlobStore, readWhole, type BlobRef } from '@packs/ports';
import { MAX_ATTESTATION_BYTES, refused, type VerificationAnswer } from '@packs/sigstore';
import type { CheckList } from './check-list';
import { allowedSigners } from './check-signature';
import { requireFinished, SignatureVerifier } from './signature-verifier';
import type { TrustRef } from './trust-materials';
import { ruleSigner } from './verified-identities';

export type AttestationRef = BlobRef & { readonly mediaType: AttestationMediaType };

export interface AttestedBundle {
  readonly attestations?: readonly AttestationRef[];
  /** A statement has to name one of these. */
  readonly subjects: readonly Digest[];
  readonly policy: SigningPolicy;
  readonly trust: TrustRef;
  /** RFC 3339. */
  readonly evaluatedAt: string;
}

interface Found {
  readonly digest: Digest;
  readonly answer: VerificationAnswer;
}

/** Looks whether the attestations that a policy requires are there. What was verified when it came is verified again: nothing is taken on trust. */
@Injectable()
export class AttestationEvaluator {
  constructor(
    private readonly blobs: BlobStore,
    private readonly verifier: SignatureVerifier,
  ) {}

  /** @returns whether none is wanting */
  async evaluate(attested: AttestedBundle, material: Uint8Array, list: CheckList): Promise<boolean> {
    const { policy, attestations = [] } = attested;
    const required = policy.require?.attestations ?? [];
    if (required.length === 0) return true;
    const found: Found[] = [];
    for (const ref of attestations) found.push({ digest: ref.digest, answer: await this.verify(ref, attested, material) });
    // Nothing is decided while one was not looked at to its end: the verdict would name another document the next time.
    for (const { answer } of found) requireFinished(answer);
    return required.map(one => check(one, policy, found, list)).every(Boolean);
  }

  private async verify(ref: AttestationRef, attested: AttestedBundle, material: Uint8Array): Promise<VerificationAnswer> {
    if (ref.size > MAX_ATTESTATION_BYTES) return refused('document-malformed', `an attestation has at most ${MAX_ATTESTATION_BYTES} bytes`);
    const content = await readWhole(this.blobs, ref, MAX_ATTESTATION_BYTES);
    const { subjects, trust, evaluatedAt } = attested;
    const { mediaType } = ref;
    return this.verifier.verify({ kind: 'attestation', trust: trust.digest, evaluatedAt, mediaType, content, subjects }, material);
  }
}

/** Who has to have signed statements of this type. */
export function ruleFor(policy: SigningPolicy, predicateType: string | undefined): SigningPolicy['rule'] {
  const required = policy.require?.attestations?.find(one => one.predicateType === predicateType);
  return required?.rule ?? policy.rule;
}

/** One document has to do: signers of two do not add up. */
function check({ predicateType }: RequiredAttestation, policy: SigningPolicy, found: readonly Found[], list: CheckList): boolean {
  const stating = found.filter(({ answer }) => answer.outcome === 'verified' && answer.predicateType === predicateType);
  const rule = ruleFor(policy, predicateType);
  const enough = stating.find(({ answer }) => isSatisfied(rule, allowedSigners(policy.require ?? {}, answer).map(ruleSigner)));
  if (enough) {
    list.pass('attestation', enough.digest);
    return true;
  }
  const wanted = `policy ${policy.name} requires an attestation of type ${predicateType}`;
  const [nearest] = stating;
  if (nearest) {
    const signers = [...new Set(signersOf(rule))].toSorted().join(', ');
    const fault = { code: 'ERR_PACK_ATTESTATION_MISSING', message: `${wanted}, signed as asked by: ${signers}` } as const;
    list.failFor('attestation', 'attestation-signers', fault, nearest.digest);
  } else {
    list.failFor('attestation', 'attestation-missing', { code: 'ERR_PACK_ATTESTATION_MISSING', message: wanted });
  }
  return false;
}
