export { AttestationReadModel, type ServableAttestation } from './attestation-read-model';
export {
  AttestationStates,
  type AssessmentDue,
  type AttestationName,
  type ProvisionalAttestation,
  type StandingAttestation,
  type StateChange,
} from './attestation-states';
export { AttestationStore, type NewAttestation, type RecordedAttestation, type Signer } from './attestation-store';
export { AuditLog, AuditUnitOfWork, type AuditTx } from './audit-log';
export { AuditReadModel, type AuditQuery } from './audit-read-model';
export { BlobRecords, type BlobUse } from './blob-records';
export { repairBlob, RepairingCatalog, RepairingGenericContent } from './blob-repair';
export {
  BlobStore,
  isPouring,
  type AppendedUpload,
  type BlobRef,
  type BlockReceiver,
  type ByteRange,
  type ByteSource,
  type PartialUpload,
  type PouringSource,
  type StoredBlob,
  type WriteExpectation,
} from './blob-store';
export { ChannelReadModel } from './channel-read-model';
export {
  ChannelStore,
  type CurrentHead,
  type CustomChannel,
  type HeadMove,
  type JudgeableAttestation,
  type JudgeableVersion,
} from './channel-store';
export { ClientCredentials } from './client-credentials';
export { Clock, SystemClock } from './clock';
export { CommandBus } from './command-bus';
export { ComplianceReadModel } from './compliance-read-model';
export { ContentCatalog } from './content-catalog';
export { CoverageStore, CoverageUnitOfWork, type CoverageFact, type CoverageTx, type FactSource, type SourcedFact } from './coverage';
export { DeadLetters, type DeadMessage } from './dead-letters';
export { EventRecord } from './event-record';
export { EvidenceReadModel, type AuditedLeaf, type LeafQuery } from './evidence-read-model';
export { examineBlob, type Finding } from './examine-blob';
export { GenericContent, type GenericOutcome, type GenericPush } from './generic-content';
export { Inbox } from './inbox';
export { LeaseLost, type Lease } from './lease';
export { MirrorTarget, MirrorTargets, type Likeness, type MirrorObject, type MirrorPlace, type StagedState } from './mirror-target';
export {
  MirrorJobStore,
  MirrorQueue,
  MirrorReadModel,
  MirrorStore,
  MirrorUnitOfWork,
  type HeldJob,
  type JobCause,
  type MirrorChange,
  type MirrorTx,
  type SettlingTx,
  type SyncCounts,
  type SyncOutcome,
} from './mirror-unit-of-work';
export { KitQueue, type HeldExport, type HeldImport, type HeldKitJob, type KitOrigin, type KitSettlingTx } from './kit-queue';
export { KitReadModel } from './kit-read-model';
export { KitRecords, type VersionName, type VersionRecord } from './kit-records';
export { KitStore } from './kit-store';
export { NamespacePolicies, NamespacePolicyStore, type NamespacePolicy } from './namespace-policies';
export { Outbox, OutboxQueue, type OutboxRow } from './outbox';
export {
  PackInventory,
  type InventoryBlob,
  type InventoryHead,
  type InventoryReferrer,
  type InventoryVerification,
  type InventoryVersion,
} from './pack-inventory';
export { PackReadModel, TrustReadModel, type ServableVersion, type Viewpoint } from './pack-read-model';
export { ProofVerifier, type Proof, type ProvenRequest } from './proof-verifier';
export { damagedObjectOf, isQuarantined, quarantinedKey, requireSound } from './quarantine';
export { ReadChanges, type ReadChange, type ReadChangesSeen } from './read-changes';
export { readWhole } from './read-whole';
export { RegistryTokens, type RegistryToken, type TokenAccess } from './registry-tokens';
export {
  IdempotencyStore,
  PackStore,
  RegistryUnitOfWork,
  TrustStore,
  type ExistingVersion,
  type NewSignature,
  type NewVersion,
  type RegistryTx,
  type TrustState,
} from './registry-unit-of-work';
export {
  RemoteRegistries,
  RemoteRepository,
  type RemoteBlob,
  type RemoteManifest,
  type RemoteReferrer,
  type WriteBlobOptions,
} from './remote-registry';
export { RepairQueue, type HeldRepair } from './repair-queue';
export { RepositoryContents } from './repository-contents';
export { DamageReports, ReportingBlobStore } from './reporting-blob-store';
export { ScrubQueue, type HeldScrub, type ScrubProgress } from './scrub-queue';
export { SealReadModel, SealStore, unsealedOnly } from './seal-store';
export { StatementSigner, type Statement } from './statement-signer';
export { TokenVerifier } from './token-verifier';
export { UsedProofs } from './used-proofs';
export { WakeUps } from './wake-ups';
export {
  ParityQueue,
  ParityReadModel,
  ParityUnitOfWork,
  type AnnouncedDrift,
  type ComparisonCause,
  type ComparisonProgress,
  type FinishingTx,
  type HeldComparison,
  type ParityFinding,
  type ParityTx,
  type PendingChange,
} from './parity';
export {
  RepositoryReadModel,
  type FoundBlob,
  type FoundManifest,
  type Page,
  type Referrer,
  type RepositoryView,
  type VersionOfManifest,
} from './repository-read-model';
export {
  PendingVersionStore,
  RepositoryStore,
  type ManifestRecord,
  type NewClaim,
  type PendingVersion,
  type RecordedManifest,
  type ReferrerPush,
  type VersionByManifest,
} from './repository-store';
export { UploadSessions, type UploadLease, type UploadSession } from './upload-sessions';
