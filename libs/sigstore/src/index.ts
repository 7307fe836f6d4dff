export { encodeTrustMaterial, parseTrustMaterial, readTrustMaterial, trustedKeyFromPem } from './trust-material';
export { keyIdOf } from './public-key';
export { MAX_SIGNATURE_BYTES, verifyPackSignature } from './verify-pack-signature';
export type { SignatureResult } from './signature-fault';
