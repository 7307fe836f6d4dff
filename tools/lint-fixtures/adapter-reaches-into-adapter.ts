// lint as: libs/messaging/src/stored-events.ts
import { createDataSource } from '../../persistence/src/data-source'; // expect: @nx/enforce-module-boundaries

export const storedEvents = createDataSource;
