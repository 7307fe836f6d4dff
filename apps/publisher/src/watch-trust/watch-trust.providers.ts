import { Injectable, type BeforeApplicationShutdown, type OnApplicationBootstrap, type Provider } from '@nestjs/common';
import { trustDrifted, trustEnding, type Logger } from '@packs/observability';
import { PostgresRegistryUnitOfWork } from '@packs/persistence';
import { BlobStore, Clock, RegistryUnitOfWork } from '@packs/ports';
import { Recurring, type ConfigOf } from '@packs/service-host';
import { RotateTrust } from '../rotate-trust/rotate-trust';
import { TrustBundleFile } from '../rotate-trust/trust-bundle-file';
import { WatchTrust } from './watch-trust';

type Config = ConfigOf<'publisher'>;

/** Starts the watch over trust, and ends it before what it stands on. */
@Injectable()
class TrustUpkeep implements OnApplicationBootstrap, BeforeApplicationShutdown {
  constructor(private readonly watch: Recurring) {}

  onApplicationBootstrap(): void {
    this.watch.start();
  }

  beforeApplicationShutdown(): Promise<void> {
    return this.watch.drain();
  }
}

/** Signed trust bundles, and what time does to trust. */
export function keepingTrust({ trustBundleFile, trustWarnDays }: Config, logger: Logger): Provider[] {
  return [
    { provide: TrustBundleFile, useFactory: (clock: Clock) => new TrustBundleFile(trustBundleFile, clock), inject: [Clock] },
    {
      provide: RotateTrust,
      useFactory: (...parts: ConstructorParameters<typeof RotateTrust>) => new RotateTrust(...parts),
      inject: [RegistryUnitOfWork, BlobStore, Clock, TrustBundleFile],
    },
    {
      // Upkeep: it goes on while a registry is sealed.
      provide: TrustUpkeep,
      useFactory: (unitOfWork: PostgresRegistryUnitOfWork, blobs: BlobStore, clock: Clock, file: TrustBundleFile) => {
        const watch = new WatchTrust(unitOfWork, blobs, clock, file, trustWarnDays);
        const turn = async (): Promise<number> => {
          try {
            return await watch.execute();
          } finally {
            await showTotals(unitOfWork, trustWarnDays);
          }
        };
        return new TrustUpkeep(new Recurring('changes of trust by time or file told', turn, logger));
      },
      inject: [PostgresRegistryUnitOfWork, BlobStore, Clock, TrustBundleFile],
    },
  ];
}

async function showTotals(unitOfWork: RegistryUnitOfWork, days: readonly number[]): Promise<void> {
  const { drifted, endings } = await unitOfWork.run('', tx => tx.trustWatches.totals());
  trustDrifted.set(drifted);
  for (const count of [...days, 0]) trustEnding.set({ days: String(count) }, endings[String(count)] ?? 0);
}
