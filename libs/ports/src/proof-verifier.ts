/** The request that a proof of possession is for. */
export interface ProvenRequest {
  readonly method: string;
  /** Without query and fragment. */
  readonly url: string;
  /** The token that came with the proof; absent where a token is asked for. */
  readonly accessToken?: string;
}

export interface Proof {
  /** RFC 7638, SHA-256. */
  readonly keyThumbprint: string;
  /** The same for no two proofs: made of the key and the proof's `jti`. */
  readonly id: string;
}

/** DPoP proofs (RFC 9449 §4.3) but for whether they were used before. */
export abstract class ProofVerifier {
  /** @throws DomainError ERR_PACK_AUTHENTICATION */
  abstract verify(proof: string, request: ProvenRequest): Promise<Proof>;
}
