import type { Provider } from '@nestjs/common';
import { ClientCredentials, Clock, NamespacePolicies, ProofVerifier, RegistryTokens, TokenVerifier, UsedProofs } from '@packs/ports';
import { OciAuthenticator } from '../caller';
import { FailedAttempts } from './failed-attempts';
import { IssueToken } from './issue-token';
import { Proofs } from './proofs';
import { TokenAuthenticator } from './token-authenticator';

/** Who is asking on /v2, and the service that hands out tokens for it. */
export function tokenProviders(config: { readonly publicUrl: string | undefined; readonly tokenSeconds: number }): Provider[] {
  return [
    {
      provide: Proofs,
      useFactory: (verifier: ProofVerifier, used: UsedProofs) => new Proofs(verifier, used),
      inject: [ProofVerifier, UsedProofs],
    },
    {
      provide: OciAuthenticator,
      useFactory: (authority: TokenVerifier, own: RegistryTokens, proofs: Proofs, clock: Clock) =>
        new TokenAuthenticator(authority, own, proofs, clock, config.publicUrl),
      inject: [TokenVerifier, RegistryTokens, Proofs, Clock],
    },
    {
      provide: IssueToken,
      useFactory: (
        authority: TokenVerifier,
        clients: ClientCredentials,
        tokens: RegistryTokens,
        proofs: Proofs,
        namespaces: NamespacePolicies,
        clock: Clock,
      ) =>
        new IssueToken({ authority, clients, attempts: new FailedAttempts(clock) }, tokens, proofs, namespaces, clock, config.tokenSeconds),
      inject: [TokenVerifier, ClientCredentials, RegistryTokens, Proofs, NamespacePolicies, Clock],
    },
  ];
}
