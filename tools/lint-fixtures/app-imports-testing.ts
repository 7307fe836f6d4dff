// lint as: apps/verifier/src/verify-bundle/verify-now.ts
import { FixedClock } from '@packs/testing'; // expect: @nx/enforce-module-boundaries

export const verifyNow = FixedClock;
