export {
  AUDIT_CONSUMER,
  COMMANDS,
  CONSUMERS,
  WAKE_AUDIT,
  natsPermissions,
  type ConsumerContract,
  type NatsPermissions,
} from './access/nats-permissions';
export { ENV_PREFIX, PROCESSES, inboxPrefix, type ProcessName } from './access/processes';
export { MESSAGE_MAX_BYTES, type CommandContract, type ReplyOf, type RequestOf } from './commands/command-contract';
export {
  ListDeadLetters,
  ReplayDeadLetter,
  type DeadLetterSummary,
  type ListDeadLettersReply,
  type ListDeadLettersRequest,
  type ReplayDeadLetterReply,
  type ReplayDeadLetterRequest,
} from './commands/compliance-commands';
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
  ReverifyVersion,
  VerifyBundle,
  verifyTimeoutMs,
  type ReverifyVersionReply,
  type ReverifyVersionRequest,
  type VerifyBundleReply,
  type VerifyBundleRequest,
} from './commands/verify-bundle';
export { PROBLEMS } from './errors/problems';
export { EVENT_STREAM, EnvelopeSchema, type EventContract, type EventEnvelope } from './events/event-contract';
export {
  EVENTS,
  PackVersionDeprecated,
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
  TrustInput,
  VisibilityInput,
} from './http/administration';
export {
  DeletedAnswer,
  PackDetail,
  PackList,
  PackSummary,
  PackSummaryList,
  PackView,
  PublishAnswer,
  SignatureList,
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
