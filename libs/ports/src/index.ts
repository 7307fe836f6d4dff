export { AuditLog, AuditUnitOfWork, type AuditTx } from './audit-log';
export { AuditReadModel, type AuditQuery } from './audit-read-model';
export { BlobStore, type BlobRef, type ByteRange, type StoredBlob, type WriteExpectation } from './blob-store';
export { Clock, SystemClock } from './clock';
export { CommandBus } from './command-bus';
export { ContentCatalog } from './content-catalog';
export { DeadLetters, type DeadMessage } from './dead-letters';
export { Inbox } from './inbox';
export { Outbox, OutboxQueue, type OutboxRow } from './outbox';
export { PackReadModel, TrustReadModel, type ServableVersion, type Viewpoint } from './pack-read-model';
export { readWhole } from './read-whole';
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
export { TokenVerifier } from './token-verifier';
export { WakeUps } from './wake-ups';
