export {
  encodeTrustMaterial,
  parseTrustMaterial,
  readKeyList,
  readTrustMaterial,
  trustedKeyFromPem,
  trustMaterialJson,
} from './trust-material';
export {
  ANY_TENANT,
  encodeTrustBundle,
  MAX_TRUST_BUNDLE_BYTES,
  parseTrustBundle,
  readTrustBundle,
  requireSuccessor,
  trustBundleMessage,
  type SignedTrustBundle,
  type TrustBundle,
} from './trust-bundle';
export { countingKeyIds, trustEdges, trustEndings, type EndingPart } from './trust-endings';
export { keyIdOf } from './public-key';
export { MAX_ATTESTATION_BYTES } from './attestation-limits';
export { verifyAttestation } from './verify-attestation';
export { MAX_SIGNATURE_BYTES, verifyPackSignature, type SignedManifest } from './verify-pack-signature';
export type { SignatureResult } from './signature-fault';
export { signingHashOf } from './signature-scheme';
export { KeyFileSigner } from './key-file-signer';
export { verifyKitSignature, type KitExporter } from './verify-kit-signature';
export { describeDocument } from './describe-document';
export { encodeSimpleSignature } from './simple-signature';
export { JsonFault, parseStrictJson } from './strict-json';
export type { ArtifactHashes, ArtifactSubject } from './artifact-subject';
export { publicGoodRoot } from './public-good-root';
export { readAnyDocument } from './read-document';
export { MAX_TRUSTED_ROOT_BYTES, parseTrustedRoot } from './trusted-root';
export { verifyDocument, type DocumentTrust, type RequiredIdentity } from './verify-document';
export { reasonOf } from './verification-report';
export { AnswerMemory } from './answer-memory';
export { VerificationPool } from './verification-pool';
export { isFinished, refused, runTask, type VerificationAnswer, type VerificationTask } from './verification-task';
