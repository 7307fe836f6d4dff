export { ATTESTATION_STATES, firstFailure, lacksTrustAlone, type AttestationState } from './attestation-state';
export { auditLeaf, type AuditEntry, type AuditLeaf } from './audit-entry';
export { canonicalDigest, canonicalJson } from './canonical-json';
export { BUILT_IN_CHANNELS, isBuiltInChannel } from './channels';
export {
  contentDigest,
  DIGEST_ALGORITHMS,
  digestAlgorithm,
  digestHex,
  isContentDigest,
  isDigest,
  parseContentDigest,
  parseDigest,
  sha256,
  type Digest,
  type DigestAlgorithm,
} from './digest';
export { DomainError, type ErrorCode, type FieldFault } from './domain-error';
export {
  CHANNEL_MAX,
  DEFAULT_CHANNEL,
  NAME_PATTERN,
  PACK_ID_MAX,
  PACK_TYPES,
  TENANT_MAX,
  isName,
  parseChannel,
  parsePackId,
  type PackType,
} from './identifiers';
export { LIFECYCLES, lifecyclesShown, type Lifecycle } from './lifecycle';
export {
  ATTESTATION_MEDIA_TYPES,
  MEDIA_TYPES,
  SIGNATURE_MEDIA_TYPES,
  type AttestationMediaType,
  type SignatureMediaType,
} from './media-types';
export {
  EMPTY_DESCRIPTOR,
  EMPTY_JSON,
  encodeAttestationManifest,
  encodePackConfig,
  encodePackManifest,
  encodeSignatureManifest,
  MANIFEST_MAX_BYTES,
  PACK_MANIFEST_MAX_BYTES,
  type Descriptor,
  type EncodedManifest,
} from './oci-manifest';
export { PACK_API_VERSION, PACK_MANIFEST_FILE, packTypeOf, requirementsOf, type PackManifest, type PackMetadata } from './pack-manifest';
export { invalidManifest, isPackManifest, parseManifest, type Layer, type ParsedManifest } from './parse-manifest';
export { isSatisfied, type Signer } from './policy-evaluation';
export { parsePolicyRequirements } from './policy-requirements';
export { isChoice, parsePolicyRule } from './policy-rule';
export {
  isTag,
  parseReference,
  parseRepositoryName,
  referrerTag,
  REPOSITORY_NAME_MAX,
  REPOSITORY_PATTERN,
  TAG_PATTERN,
  type RepositoryKind,
  type RepositoryName,
} from './repository';
export { revokedAmong, type Revocations, type RevokedDigest, type RevokedIdentity, type RevokedKey } from './revocations';
export {
  DEFAULT_SCANNING,
  SCAN_FINDINGS_MAX,
  SCAN_MODES,
  SCANNERS,
  scannedBy,
  scanOutcome,
  type ScanEngine,
  type ScanFinding,
  type ScanMode,
  type Scanner,
  type ScanReason,
  type ScanReport,
  type ScanSettings,
} from './scanning';
export { SCOPES, canonicalScopes, type Principal, type Scope } from './scopes';
export {
  requireUnsealed,
  sealAt,
  sealed,
  SEALED_BY_CONFIGURATION,
  UNSEALED,
  unsealApproved,
  unsealRequested,
  type Seal,
  type UnsealRequest,
} from './seal';
export {
  CERTIFICATE_EXTENSIONS,
  SIGNATURE_SCHEMES,
  UNSIGNED_ANSWERS,
  signerName,
  signersOf,
  policyDigest,
  selectPolicy,
  type PolicyRequirements,
  type CertificateSigner,
  type PolicyRule,
  type RequiredAttestation,
  type SignatureScheme,
  type SigningPolicy,
  type TrustMaterial,
  type TrustedKey,
  type UnsignedAnswer,
} from './signing-policy';
export { CHECK_REASONS, VERDICT_CHECKS, type CheckId } from './verdict-checks';
export { verdictHash, type Check, type Verdict, type VerdictFault, type VerifiedIdentity } from './verdict';
export {
  VERSION_MAX,
  isPrerelease,
  isVersionRange,
  parseVersion,
  satisfiesRange,
  versionSortKey,
  versionTag,
  withoutBuild,
} from './version';
export { JsonFault, parseStrictJson, type JsonLimits } from './strict-json';
