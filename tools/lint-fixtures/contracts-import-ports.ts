// lint as: libs/contracts/src/events/stored-event.ts
import type { Outbox } from '@packs/ports'; // expect: @nx/enforce-module-boundaries
import { ApiProperty } from '@nestjs/swagger'; // expect: no-restricted-imports

export type StoredEvent = Outbox;
export const property = ApiProperty;
