// lint as: libs/observability/src/store-metrics.ts
import type { BlobStore } from '@packs/ports'; // expect: @nx/enforce-module-boundaries

export type MeasuredStore = BlobStore;
