import { createHash } from 'node:crypto';
import { DomainError } from '@packs/domain';
import { ProofVerifier, type Clock, type Proof, type ProvenRequest } from '@packs/ports';
import { calculateJwkThumbprint, EmbeddedJWK, errors, jwtVerify, type JWTPayload, type JWTVerifyResult } from 'jose';
import { isStrictJwt } from './strict-jwt';

const ALGORITHMS = ['ES256', 'EdDSA', 'RS256', 'PS256'];
/** How far the clock of a client may be off, and for how long a proof is good. */
const WINDOW_SECONDS = 60;
const PROOF_MAX_BYTES = 4096;
const JTI_MAX = 256;

/** DPoP proofs as JWT (RFC 9449 §4.2). */
export class JoseProofVerifier extends ProofVerifier {
  constructor(private readonly clock: Clock) {
    super();
  }

  async verify(proof: string, request: ProvenRequest): Promise<Proof> {
    if (proof.length > PROOF_MAX_BYTES) throw refusal('is too long');
    if (!isStrictJwt(proof)) throw refusal('is not valid');
    const { payload, protectedHeader } = await this.opened(proof);
    const { jti } = payload;
    if (typeof jti !== 'string' || jti === '' || jti.length > JTI_MAX) throw refusal('has no jti of at most 256 characters');
    this.checkTime(payload);
    checkRequest(payload, request);
    const { jwk } = protectedHeader;
    if (!jwk) throw refusal('holds no key');
    const keyThumbprint = await calculateJwkThumbprint(jwk);
    return { keyThumbprint, id: sha256(`${keyThumbprint}.${jti}`) };
  }

  private async opened(proof: string): Promise<JWTVerifyResult> {
    try {
      // EmbeddedJWK takes public keys alone.
      return await jwtVerify(proof, EmbeddedJWK, {
        typ: 'dpop+jwt',
        algorithms: ALGORITHMS,
        clockTolerance: WINDOW_SECONDS,
        currentDate: this.clock.now(),
      });
    } catch (error) {
      if (error instanceof errors.JOSEError || error instanceof TypeError || error instanceof DOMException) throw refusal('is not valid');
      throw error;
    }
  }

  private checkTime({ iat }: JWTPayload): void {
    const age = this.clock.now().getTime() / 1000 - (typeof iat === 'number' ? iat : Number.NaN);
    if (!(Math.abs(age) <= WINDOW_SECONDS)) throw refusal(`was not made within ${WINDOW_SECONDS} seconds of now (iat)`);
  }
}

function checkRequest(payload: JWTPayload, { method, url, accessToken }: ProvenRequest): void {
  if (payload['htm'] !== method) throw refusal('is for another method (htm)');
  if (normalized(payload['htu']) !== normalized(url)) throw refusal('is for another address (htu)');
  if (accessToken !== undefined && payload['ath'] !== sha256(accessToken)) throw refusal('is for another token (ath)');
}

/** RFC 9449 §4.3: compared after normalization (RFC 3986 §6.2.2, §6.2.3), without query and fragment. */
function normalized(url: unknown): string | undefined {
  if (typeof url !== 'string' || !URL.canParse(url)) return undefined;
  const { origin, pathname } = new URL(url);
  return `${origin}${pathname}`;
}

function sha256(text: string): string {
  return createHash('sha256').update(text).digest('base64url');
}

function refusal(what: string): DomainError {
  return new DomainError('ERR_PACK_AUTHENTICATION', `the DPoP proof ${what}`);
}
