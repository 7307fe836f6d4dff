import { Injectable } from '@nestjs/common';
import type { VerifyBundleReply, VerifyBundleRequest } from '@packs/contracts';
import { encodePackConfig, encodePackManifest, MEDIA_TYPES, packTypeOf, sha256, type Digest, type PackManifest } from '@packs/domain';
import { BlobStore } from '@packs/ports';
import { BundleSource } from '../evaluation/bundle-source';
import { checkArtifact } from '../evaluation/check-artifact';
import { CheckList } from '../evaluation/check-list';
import { composeVerdict } from '../evaluation/compose-verdict';
import { DEADLINE_MS, withinDeadline } from '../evaluation/deadline';
import { NOT_EVALUATED, SignatureEvaluator, type SignatureFindings } from '../evaluation/signature-evaluator';
import { checkContent } from './check-content';

/** Judges whether a bundle may be published: digest, contents, manifest, request, signatures, policy, in this order. */
@Injectable()
export class VerifyBundle {
  constructor(
    private readonly blobs: BlobStore,
    private readonly signatures: SignatureEvaluator,
  ) {}

  /** @throws DomainError ERR_PACK_UNAVAILABLE after the deadline; what the store and the trust material throw passes unchanged */
  execute(request: VerifyBundleRequest, signal: AbortSignal = AbortSignal.timeout(DEADLINE_MS)): Promise<VerifyBundleReply> {
    return withinDeadline(signal, async () => {
      const list = new CheckList();
      const source = new BundleSource(this.blobs, request.bundle, signal);
      const { manifest, sound } = await checkContent(request, source, list, signal);
      const config = manifest && encodePackConfig(manifest);
      const findings = manifest && config && sound ? await this.judge(request, { source, manifest, config }, list) : NOT_EVALUATED;
      const subject = { bundle: request.bundle.digest, config: config && sha256(config), manifest: request.manifest?.digest };
      const isKept = !request.manifest && (findings.accepted || findings.policy?.unsigned === 'pending');
      return {
        ...composeVerdict(subject, request, findings, list),
        pack: manifest && config ? await this.describe(manifest, isKept ? config : undefined) : null,
      };
    });
  }

  private async judge(request: VerifyBundleRequest, { source, manifest, config }: ReadBundle, list: CheckList): Promise<SignatureFindings> {
    const artifact = await checkArtifact(this.blobs, request, list, sha256(config));
    if (artifact !== 'refused') {
      const manifestToBe = artifact ? undefined : madeManifest(request, manifest, config);
      return this.signatures.evaluate({ ...request, source, artifact, manifestToBe, packType: packTypeOf(manifest) }, list);
    }
    list.skipSignatures(request.signatures);
    return NOT_EVALUATED;
  }

  /** The config is written for packs that may be kept and have none: nothing would ever clear away those of the others. */
  private async describe(manifest: PackManifest, config: Buffer | undefined): Promise<NonNullable<VerifyBundleReply['pack']>> {
    const { packId, version } = manifest.metadata;
    const stored = config && (await this.blobs.writeBytes(config, sha256(config)));
    return { config: stored ?? null, packId, version, type: packTypeOf(manifest) };
  }
}

interface ReadBundle {
  readonly source: BundleSource;
  readonly manifest: PackManifest;
  readonly config: Buffer;
}

function madeManifest({ bundle }: VerifyBundleRequest, manifest: PackManifest, config: Buffer): Digest {
  const { digest, size } = bundle;
  const described = { mediaType: MEDIA_TYPES.packConfig, digest: sha256(config), size: config.length };
  return encodePackManifest(manifest, described, { mediaType: MEDIA_TYPES.packBundle, digest, size }).digest;
}
