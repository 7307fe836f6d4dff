import './source-maps';

export { HeldLeases, WorkerStopping, type HeldLease } from './held-lease';
export { Readiness } from './readiness';
export { Recurring } from './recurring';
export { runService } from './run-service';
export type { ConfigOf } from './service-module';
export { WorkLoop } from './work-loop';
