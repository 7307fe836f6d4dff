// lint as: libs/domain/src/stored-digest.ts
import { createDataSource } from '@packs/persistence'; // expect: @nx/enforce-module-boundaries

export const storedDigest = createDataSource;
