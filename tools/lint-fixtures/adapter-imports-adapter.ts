// lint as: libs/messaging/src/stored-messages.ts
import { createDataSource } from '@packs/persistence'; // expect: @nx/enforce-module-boundaries

export const storedMessages = createDataSource;
