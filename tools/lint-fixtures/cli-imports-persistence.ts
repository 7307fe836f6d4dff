// lint as: tools/cli/registry/read-database.ts
import { createDataSource } from '@packs/persistence'; // expect: @nx/enforce-module-boundaries
import { openConnection } from '@packs/messaging'; // expect: @nx/enforce-module-boundaries
import { FileBlobStore } from '@packs/object-storage'; // expect: @nx/enforce-module-boundaries

export const reached = [createDataSource, openConnection, FileBlobStore];
