import { readFile } from 'node:fs/promises';
import type { Provider } from '@nestjs/common';
import { PostgresRegistryUnitOfWork } from '@packs/persistence';
import { BlobStore, Clock, CommandBus } from '@packs/ports';
import type { ConfigOf } from '@packs/service-host';
import { readKeyList } from '@packs/sigstore';
import { ImportKit } from './import-kit';
import { JudgeKit } from './judge-kit';

export function importing({ exportersFile }: ConfigOf<'publisher'>): Provider[] {
  return [
    {
      provide: JudgeKit,
      useFactory: (...parts: ConstructorParameters<typeof JudgeKit>) => new JudgeKit(...parts),
      inject: [CommandBus, Clock],
    },
    {
      provide: ImportKit,
      useFactory: async (unitOfWork: PostgresRegistryUnitOfWork, blobs: BlobStore, judgeKit: JudgeKit, clock: Clock) => {
        const installed = exportersFile === undefined ? [] : readKeyList(await readFile(exportersFile));
        return new ImportKit(unitOfWork, blobs, judgeKit, clock, installed);
      },
      // Kits are what a sealed registry takes in.
      inject: [PostgresRegistryUnitOfWork, BlobStore, JudgeKit, Clock],
    },
  ];
}
