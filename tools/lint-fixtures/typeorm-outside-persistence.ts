// lint as: apps/publisher/src/publish-pack/pack-entity.ts
import { DataSource } from 'typeorm'; // expect: @nx/enforce-module-boundaries

export const packEntity = DataSource;
