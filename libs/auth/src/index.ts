export { JoseTokenVerifier } from './jose-token-verifier';
