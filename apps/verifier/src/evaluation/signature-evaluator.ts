import { Injectable } from '@nestjs/common';
import {
  selectPolicy,
  type Digest,
  type PackType,
  type SignatureMediaType,
  type SigningPolicy,
  type TrustedKey,
  type VerifiedIdentity,
} from '@packs/domain';
import { BlobStore, readWhole, type BlobRef } from '@packs/ports';
import { MAX_SIGNATURE_BYTES, verifyPackSignature, type SignatureResult } from '@packs/sigstore';
import type { BundleSource } from './bundle-source';
import type { Artifact } from './check-artifact';
import type { CheckList } from './check-list';
import { failForWantOfPolicy, judgeSigners } from './judge-signers';
import { SignatureTimer } from './signature-timer';
import { TrustMaterials, type TrustRef } from './trust-materials';

export type SignatureRef = BlobRef & { readonly mediaType: SignatureMediaType };

export interface SignedBundle {
  readonly bundle: BlobRef;
  readonly source: BundleSource;
  /** The OCI manifest, shown to be one of the bundle. */
  readonly artifact?: Artifact;
  readonly signatures: readonly SignatureRef[];
  readonly policies: readonly SigningPolicy[];
  readonly channel: string;
  readonly packType: PackType;
  readonly trust: TrustRef;
}

export interface SignatureFindings {
  readonly accepted: boolean;
  readonly policy: SigningPolicy | null;
  readonly evidence: readonly Digest[];
  readonly identities: readonly VerifiedIdentity[];
}

/** Checks every signature of a bundle and asks the policy that binds it whether the signers suffice. */
@Injectable()
export class SignatureEvaluator {
  constructor(
    private readonly blobs: BlobStore,
    private readonly trust: TrustMaterials,
    private readonly timer: SignatureTimer,
  ) {}

  /** A signature that fails is reported and counts for nothing; it takes nothing from those that are valid. */
  async evaluate(signed: SignedBundle, list: CheckList): Promise<SignatureFindings> {
    const policy = selectPolicy(signed.policies, signed) ?? null;
    const { keys } = await this.trust.of(signed.trust);
    const found: VerifiedIdentity[] = [];
    for (const [index, ref] of signed.signatures.entries()) {
      const result = await this.timed(() => this.verify(ref, signed, keys));
      if (result.valid) {
        list.pass('signature', ref.digest);
        found.push({ kind: 'key', name: result.key.name, keyId: result.keyId, scheme: result.key.scheme, signature: ref.digest });
      } else {
        list.fail('signature', { code: result.reason, message: result.message, field: `signatures[${index}]` }, ref.digest);
      }
    }
    const identities = distinct(found);
    const accepted = decide(policy, signed, new Set(identities.map(({ name }) => name)), list);
    return { accepted, policy, evidence: signed.signatures.map(({ digest }) => digest), identities };
  }

  private async verify(
    ref: SignatureRef,
    { bundle, source, artifact }: SignedBundle,
    keys: readonly TrustedKey[],
  ): Promise<SignatureResult> {
    if (ref.size > MAX_SIGNATURE_BYTES) {
      return {
        valid: false,
        reason: 'ERR_PACK_SIGNATURE_INVALID',
        message: `a signature document has at most ${MAX_SIGNATURE_BYTES} bytes`,
      };
    }
    const content = await readWhole(this.blobs, ref, MAX_SIGNATURE_BYTES);
    const signature = { mediaType: ref.mediaType, content };
    const { digest, size } = bundle;
    return verifyPackSignature({ artifact: () => source.bytes(), digest, size, manifest: artifact, signature, keys });
  }

  private async timed(verify: () => Promise<SignatureResult>): Promise<SignatureResult> {
    const start = performance.now();
    const result = await verify();
    const untrusted = !result.valid && result.reason === 'ERR_PACK_SIGNATURE_UNTRUSTED';
    this.timer.observe((performance.now() - start) / 1000, result.valid ? 'valid' : untrusted ? 'untrusted' : 'invalid');
    return result;
  }
}

function decide(policy: SigningPolicy | null, signed: SignedBundle, signers: ReadonlySet<string>, list: CheckList): boolean {
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

/** One entry for each signer, of the first of its signatures. */
function distinct(found: readonly VerifiedIdentity[]): VerifiedIdentity[] {
  const byName = new Map<string, VerifiedIdentity>();
  for (const identity of found) if (!byName.has(identity.name)) byName.set(identity.name, identity);
  return [...byName.values()].toSorted((a, b) => (a.name < b.name ? -1 : 1));
}
