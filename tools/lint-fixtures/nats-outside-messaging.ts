// lint as: libs/service-host/src/bus-readiness.ts
import type { NatsConnection } from 'nats'; // expect: @nx/enforce-module-boundaries

export type BusReadiness = NatsConnection;
