export { createLogger, LOGGER, NestLogger, type Logger } from './logger';
export {
  channelPromotions,
  collectProcessMetrics,
  corruptReads,
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
