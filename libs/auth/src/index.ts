export { JoseTokenVerifier, type AuthorityOptions } from './jose-token-verifier';
