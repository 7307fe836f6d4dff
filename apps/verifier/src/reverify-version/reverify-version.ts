import { Injectable } from '@nestjs/common';
import type { ReverifyVersionReply, ReverifyVersionRequest } from '@packs/contracts';
import { BlobStore } from '@packs/ports';
import { BundleSource } from '../evaluation/bundle-source';
import { checkArtifact } from '../evaluation/check-artifact';
import { checkDigest } from '../evaluation/check-digest';
import { CheckList } from '../evaluation/check-list';
import { composeVerdict } from '../evaluation/compose-verdict';
import { DEADLINE_MS, withinDeadline } from '../evaluation/deadline';
import { NOT_EVALUATED, SignatureEvaluator } from '../evaluation/signature-evaluator';

/** Judges a stored version again: its bytes, its signatures and the tenant's policy under the trust of today. */
@Injectable()
export class ReverifyVersion {
  constructor(
    private readonly blobs: BlobStore,
    private readonly signatures: SignatureEvaluator,
  ) {}

  /** @throws DomainError ERR_PACK_UNAVAILABLE after the deadline; what the store and the trust material throw passes unchanged */
  execute(request: ReverifyVersionRequest, signal: AbortSignal = AbortSignal.timeout(DEADLINE_MS)): Promise<ReverifyVersionReply> {
    return withinDeadline(signal, async () => {
      const list = new CheckList();
      const source = new BundleSource(this.blobs, request.bundle, signal);
      const proven = await checkDigest(source, list);
      const artifact = proven ? await checkArtifact(this.blobs, request, list) : undefined;
      const sound = proven && artifact !== 'refused';
      if (!sound) list.skipSignatures(request.signatures);
      const findings = sound ? await this.signatures.evaluate({ ...request, source, artifact }, list) : NOT_EVALUATED;
      return composeVerdict({ bundle: request.bundle.digest, manifest: request.manifest?.digest }, request, findings, list);
    });
  }
}
