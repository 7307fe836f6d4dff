export {
  AUDIT_CONSUMER,
  COMMANDS,
  CONSUMERS,
  COVERAGE_CONSUMER,
  MIRROR_CONSUMER,
  PARITY_CONSUMER,
  WAKE_AUDIT,
  natsPermissions,
  type ConsumerContract,
  type NatsPermissions,
} from './access/nats-permissions';
export { ENV_PREFIX, PROCESSES, inboxPrefix, type ProcessName } from './access/processes';
export { MESSAGE_MAX_BYTES, type CommandContract, type ReplyOf, type RequestOf } from './commands/command-contract';
export {
  ArchiveVersion,
  PromoteVersion,
  UpdateChannel,
  type ArchiveVersionReply,
  type ArchiveVersionRequest,
  type PromoteVersionReply,
  type PromoteVersionRequest,
  type UpdateChannelReply,
  type UpdateChannelRequest,
} from './commands/channel-commands';
export {
  CancelScrub,
  GetScrub,
  QuarantineBlob,
  ReplaceBlob,
  StartScrub,
  type QuarantineBlobReply,
  type QuarantineBlobRequest,
  type ReplaceBlobReply,
  type ReplaceBlobRequest,
  type ScrubReply,
  type ScrubRequest,
  type StartScrubRequest,
} from './commands/content-commands';
export { BlobQuarantined, BlobRepaired } from './events/content-events';
export { ScrubInput, ScrubView } from './http/scrubs';
export { SCRUB_NAMED, type Scrub } from './scrub';
export {
  CONSUMER_COMMANDS,
  CONSUMER_PROCESSES,
  type ConsumerProcess,
  type DeadLetterSummary,
  type ListDeadLettersReply,
  type ListDeadLettersRequest,
  type ReplayDeadLetterReply,
  type ReplayDeadLetterRequest,
  type ReplayEventsReply,
  type ReplayEventsRequest,
} from './commands/consumer-commands';
export {
  DeprecateVersion,
  PublishPack,
  UpdatePolicy,
  UpdateTrust,
  UpdateVisibility,
  publishTimeoutMs,
  type DeprecateVersionReply,
  type DeprecateVersionRequest,
  type PublishPackReply,
  type PublishPackRequest,
  type UpdatePolicyReply,
  type UpdatePolicyRequest,
  type UpdateTrustReply,
  type UpdateTrustRequest,
  type UpdateVisibilityReply,
  type UpdateVisibilityRequest,
} from './commands/publisher-commands';
export {
  DeleteContent,
  MAX_TAGS_PER_PUSH,
  PutManifest,
  type DeleteContentReply,
  type DeleteContentRequest,
  type PutManifestReply,
  type PutManifestRequest,
} from './commands/repository-commands';
export { ociErrorOf } from './oci/errors';
export {
  judgedAttestations,
  MAX_JUDGED_ATTESTATIONS,
  ReverifyVersion,
  VerifyBundle,
  verifyTimeoutMs,
  type ReverifyVersionReply,
  type ReverifyVersionRequest,
  type VerifyBundleReply,
  type VerifyBundleRequest,
} from './commands/verify-bundle';
export {
  KIT_MEDIA_TYPES,
  KIT_PLAN_MAX_BYTES,
  KIT_PREDICATE_TYPE,
  KIT_SCHEMA,
  KitManifestSchema,
  KitPlanSchema,
  type KitManifest,
  type KitPlan,
  type KitVersion,
} from './kits/kit-manifest';
export {
  type ExportRequest,
  type ExportResult,
  type ImportReport,
  type ImportRequest,
  type ImportResult,
  type KitJobError,
  type KitJobState,
} from './kits/kit-job';
export {
  ExportKit,
  ImportKit,
  ReceiveKit,
  UpdateExporters,
  type ExportKitReply,
  type ExportKitRequest,
  type ImportKitReply,
  type ImportKitRequest,
  type ReceiveKitReply,
  type ReceiveKitRequest,
  type UpdateExportersReply,
  type UpdateExportersRequest,
} from './commands/kit-commands';
export { ExportersUpdated, KitExported, KitImported, KitRefused } from './events/kit-events';
export { ExportersAnswer, ExportInput, ExportView, ImportQuery, ImportView } from './http/kits';
export { PROBLEMS } from './errors/problems';
export { ChannelUpdated, PackPromotionRejected, PackVersionArchived, PackVersionPromoted } from './events/channel-events';
export { EVENT_STREAM, EnvelopeSchema, type EventContract, type EventEnvelope } from './events/event-contract';
export {
  EVENTS,
  PackVersionDeprecated,
  PackVersionExpired,
  PackVersionPending,
  PackVersionPublished,
  PackVersionRejected,
  PolicyUpdated,
  TrustUpdated,
  VisibilityUpdated,
} from './events/registry-events';
export {
  AuditEntryView,
  AuditList,
  PackUpload,
  PolicyInput,
  PolicyList,
  PolicyView,
  Problem,
  TrustAnswer,
  KeyListInput,
  TrustInput,
  VisibilityInput,
  VisibilityView,
} from './http/administration';
export {
  ChannelInput,
  ChannelList,
  ChannelView,
  LifecycleInput,
  PackChannels,
  PackChannelsQuery,
  PromoteAnswer,
  PromoteInput,
  type MoveReason,
} from './http/channels';
export {
  DeletedAnswer,
  PackDetail,
  PackList,
  PackSummary,
  PackSummaryList,
  PackView,
  PublishAnswer,
  SignatureList,
  VerdictAnswer,
  VersionList,
  VersionSummary,
  VersionSummaryList,
  VersionView,
} from './http/packs';
export {
  AuditListQuery,
  DeadLetterListQuery,
  DeprecateQuery,
  NamespaceQuery,
  PackListQuery,
  PublishQuery,
  VersionListQuery,
} from './http/parameters';
export { newEvent } from './events/new-event';
export { DeadLetterList, DeadLetterView } from './http/dead-letters';
export { selectsPackId, type Selection } from './selection';
export {
  AddAttestation,
  ContestAttestation,
  RecordEvidenceExport,
  VerifyAttestation,
  type AddAttestationReply,
  type AddAttestationRequest,
  type ContestAttestationReply,
  type ContestAttestationRequest,
  type RecordEvidenceExportReply,
  type RecordEvidenceExportRequest,
  type VerifyAttestationReply,
  type VerifyAttestationRequest,
} from './commands/attestation-commands';
export {
  PackAttestationAdded,
  PackAttestationReassessed,
  PackAttestationReceived,
  PackEvidenceExported,
} from './events/attestation-events';
export { PackReferrerAdded, PackReferrerRemoved } from './events/referrer-events';
export {
  AttestationDecision,
  AttestationHistory,
  AttestationList,
  AttestationListQuery,
  AttestationPath,
  AttestationQuery,
  AttestationStateView,
  AttestationView,
  attestationUri,
  WaitingAttestationView,
} from './http/attestations';
export { BuildView, EvidenceQuery, ProvenanceReport, StatedView } from './http/provenance';
export { ComplianceQuery, ComplianceSummary, type Coverage } from './http/compliance';
export { ReplayAnswer, ReplayInput } from './http/replays';
export {
  CreateMirror,
  DeleteMirror,
  SyncMirror,
  UpdateMirror,
  type CreateMirrorReply,
  type CreateMirrorRequest,
  type DeleteMirrorReply,
  type DeleteMirrorRequest,
  type SyncMirrorReply,
  type SyncMirrorRequest,
  type UpdateMirrorReply,
  type UpdateMirrorRequest,
} from './commands/mirror-commands';
export { MirrorConfigured, MirrorRemoved, MirrorSyncCompleted, MirrorSyncFailed } from './events/mirror-events';
export { CarryReferrers, type CarryReferrersReply, type CarryReferrersRequest, type NotCarried } from './commands/carry-referrers';
export { FetchArtifact, REFERENCE_MAX, type FetchArtifactReply, type FetchArtifactRequest } from './commands/fetch-artifact';
export { MirrorJobList, MirrorJobQuery, MirrorJobView, MirrorList, MirrorRequest, MirrorResponse, MirrorSyncRequest } from './http/mirrors';
export {
  LOCATION_MAX,
  LOCATION_PATTERN,
  MIRROR_KINDS,
  REGISTRY_LOCATION_PATTERN,
  type MirrorJob,
  type MirrorKind,
  type MirrorRecord,
  type MirrorSettings,
  type SkippedVersion,
} from './mirror';
export { PULL_LOCATION_PATTERN, type PulledRepository, type PullPolicy } from './pull-policy';
export { MirrorStateSchema, type MirroredVersion, type MirrorState } from './mirror-state';
export { ApproveUnseal, UpdateSeal, type ApproveUnsealRequest, type SealReply, type UpdateSealRequest } from './commands/seal-commands';
export { RegistrySealed, RegistryUnsealed, UnsealApproved, UnsealRequested } from './events/seal-events';
export { SealInput, SealView } from './http/seal';
export { CheckParity, type CheckParityReply, type CheckParityRequest } from './commands/parity-commands';
export { DRIFT_NAMED, ParityDriftDetected, ParityRestored } from './events/parity-events';
export { ParityCheckView, ParityQuery, ParityRequest, ParityResponse, type MirrorParity, type ParityRow } from './http/parity';
export {
  noCounts,
  PARITY_DIFFERENCES,
  PARITY_STATES,
  type ParityCheck,
  type ParityCounts,
  type ParityDepth,
  type ParityDifference,
  type ParityState,
} from './parity';
