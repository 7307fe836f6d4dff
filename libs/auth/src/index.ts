export { JoseProofVerifier } from './jose-proof-verifier';
export { JoseRegistryTokens } from './jose-registry-tokens';
export { JoseTokenVerifier } from './jose-token-verifier';
export { OidcClientCredentials } from './oidc-client-credentials';
