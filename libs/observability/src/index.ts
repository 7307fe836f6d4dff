export { createLogger, LOGGER, NestLogger, type Logger } from './logger';
export {
  collectProcessMetrics,
  corruptReads,
  eventsConsumed,
  metrics,
  outboxUnsent,
  publishTotal,
  signatureVerifySeconds,
  withdrawnReads,
} from './metrics';
export { currentTraceparent, inSpan, startTracing } from './tracing';
