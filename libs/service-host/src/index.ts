export { Readiness, type ReadinessCheck } from './readiness';
export { runService, type ConfigOf, type ServiceModule } from './run-service';
