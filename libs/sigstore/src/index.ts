export { encodeTrustMaterial, parseTrustMaterial, readTrustMaterial, trustedKeyFromPem } from './trust-material';
export { keyIdOf } from './public-key';
export { MAX_ATTESTATION_BYTES, verifyAttestation, type AttestationResult } from './verify-attestation';
export { MAX_SIGNATURE_BYTES, verifyPackSignature } from './verify-pack-signature';
export type { SignatureResult } from './signature-fault';
export { KeyFileSigner } from './key-file-signer';
export { verifyKitSignature, type KitExporter } from './verify-kit-signature';
