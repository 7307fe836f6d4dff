import { JUDGING_COMMANDS, type JudgingCommand, type JudgingRequests } from '@packs/contracts';
import type { Digest, Verdict } from '@packs/domain';
import { checkMessage } from '@packs/messaging';
import type { BlobStore } from '@packs/ports';
import { AttestationEvaluator } from '../evaluation/attestation-evaluator';
import { SignatureEvaluator } from '../evaluation/signature-evaluator';
import type { SignatureVerifier } from '../evaluation/signature-verifier';
import { TrustMaterials } from '../evaluation/trust-materials';
import { ReverifyVersion } from '../reverify-version/reverify-version';
import { VerifyAttestation } from '../verify-attestation/verify-attestation';
import { VerifyBundle } from '../verify-bundle/verify-bundle';

interface FoundVerdict {
  readonly verdict: Verdict;
  readonly verdictHash: Digest;
}

type Judges = { readonly [C in JudgingCommand]: (request: JudgingRequests[C]) => Promise<FoundVerdict> };

/** The verifier's own use-cases without its bus: asked the same, they answer the same. */
export class Rejudge {
  private readonly judges: Judges;

  constructor(blobs: BlobStore, verifier: SignatureVerifier) {
    const trust = new TrustMaterials(blobs);
    const untimed = { observe: () => undefined };
    const signatures = new SignatureEvaluator(blobs, trust, verifier, untimed, new AttestationEvaluator(blobs, verifier));
    const [bundle, version] = [new VerifyBundle(blobs, signatures), new ReverifyVersion(blobs, signatures)];
    const attestation = new VerifyAttestation(blobs, trust, verifier, untimed);
    this.judges = {
      'verify-bundle': request => bundle.execute(request),
      'reverify-version': request => version.execute(request),
      'verify-attestation': request => attestation.execute(request),
    };
  }

  /** @throws DomainError ERR_PACK_REQUEST_INVALID for what is no request of this command, and what the use-case throws */
  execute(command: JudgingCommand, request: unknown): Promise<FoundVerdict> {
    checkMessage(JUDGING_COMMANDS[command].request, request, 'what was kept of the question');
    return this.judges[command](request as never);
  }
}
