export { Readiness } from './readiness';
export { runService, type ConfigOf } from './run-service';
