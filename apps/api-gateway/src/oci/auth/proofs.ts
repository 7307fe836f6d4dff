import { DomainError } from '@packs/domain';
import type { ProofVerifier, ProvenRequest, UsedProofs } from '@packs/ports';

/** DPoP proofs, each good for one request (RFC 9449 §11.1). */
export class Proofs {
  constructor(
    private readonly verifier: ProofVerifier,
    private readonly used: UsedProofs,
  ) {}

  /**
   * @returns the thumbprint of the key that made the proof
   * @throws DomainError ERR_PACK_AUTHENTICATION
   */
  async keyProven(proof: string, request: ProvenRequest, boundTo?: string): Promise<string> {
    const { keyThumbprint, id } = await this.verifier.verify(proof, request);
    if (boundTo !== undefined && keyThumbprint !== boundTo) throw refusal('the DPoP proof is by another key');
    if (!(await this.used.use(id))) throw refusal('the DPoP proof was used before');
    return keyThumbprint;
  }
}

function refusal(message: string): DomainError {
  return new DomainError('ERR_PACK_AUTHENTICATION', message);
}
