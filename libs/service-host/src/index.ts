export { Readiness } from './readiness';
export { runService } from './run-service';
export type { ConfigOf } from './service-module';
