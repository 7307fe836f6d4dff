import { Injectable } from '@nestjs/common';
import type { VerifyBundleReply, VerifyBundleRequest } from '@packs/contracts';
import { encodePackConfig, packTypeOf, sha256, type PackManifest } from '@packs/domain';
import { BlobStore } from '@packs/ports';
import { BundleSource } from '../evaluation/bundle-source';
import { CheckList } from '../evaluation/check-list';
import { composeVerdict, NOT_EVALUATED } from '../evaluation/compose-verdict';
import { DEADLINE_MS, withinDeadline } from '../evaluation/deadline';
import { SignatureEvaluator } from '../evaluation/signature-evaluator';
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
      const findings =
        manifest && sound ? await this.signatures.evaluate({ ...request, source, packType: packTypeOf(manifest) }, list) : NOT_EVALUATED;
      const subject = { bundle: request.bundle.digest, config: config && sha256(config) };
      return {
        ...composeVerdict(subject, request, findings, list),
        pack: manifest && config ? await this.describe(manifest, findings.accepted ? config : undefined) : null,
      };
    });
  }

  /** The config is written for accepted packs alone: nothing would ever clear away those of the others. */
  private async describe(manifest: PackManifest, config: Buffer | undefined): Promise<NonNullable<VerifyBundleReply['pack']>> {
    const { packId, version } = manifest.metadata;
    const stored = config && (await this.blobs.write(once(config), { maxBytes: config.length, digest: sha256(config) }));
    return { config: stored ?? null, packId, version, type: packTypeOf(manifest) };
  }
}

async function* once(bytes: Uint8Array): AsyncIterable<Uint8Array> {
  yield bytes;
}
