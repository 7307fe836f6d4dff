export { createLogger, LOGGER, NestLogger, type Logger } from './logger';
export {
  channelPromotions,
  collectProcessMetrics,
  corruptReads,
  quarantinedBlobs,
  repairedBlobs,
  scrubbedBytes,
  eventsConsumed,
  kitJobs,
  metrics,
  mirroredBytes,
  mirroredVersions,
  mirrorLagSeconds,
  mirrorQueueDepth,
  mirrorSyncs,
  outboxUnsent,
  parityComparisonSeconds,
  parityOutOfStep,
  publishTotal,
  signatureVerifySeconds,
  withdrawnReads,
} from './metrics';
export { currentTraceparent, inSpan, startTracing } from './tracing';
