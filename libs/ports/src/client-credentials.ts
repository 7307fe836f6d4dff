export abstract class ClientCredentials {
  /**
   * The client credentials grant (RFC 6749 §4.4).
   * @returns an access token of the Authority
   * @throws DomainError ERR_PACK_AUTHENTICATION when the Authority refuses them, ERR_PACK_UNAVAILABLE when it cannot be asked
   */
  abstract exchange(clientId: string, secret: string): Promise<string>;
}
