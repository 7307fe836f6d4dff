import type { Principal } from '@packs/domain';

export abstract class TokenVerifier {
  /**
   * @throws DomainError ERR_PACK_AUTHENTICATION for a token that is not valid here, ERR_PACK_SCOPE for a valid one without
   * tenant or scope, ERR_PACK_UNAVAILABLE when the Authority's keys cannot be had
   */
  abstract verify(token: string): Promise<Principal>;
  /** Resolves when keys are at hand. */
  abstract check(): Promise<void>;
}
