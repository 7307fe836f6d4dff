export { encodeTrustMaterial, MAX_TRUSTED_KEYS, parseTrustMaterial, readTrustMaterial, trustedKeyFromPem } from './trust-material';
export { keyIdOf } from './public-key';
export { MAX_SIGNATURE_BYTES, verifyPackSignature, type PackSignature, type PackSignatureRequest } from './verify-pack-signature';
export { type SignatureResult } from './signature-fault';
