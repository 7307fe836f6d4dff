import { availableParallelism } from 'node:os';
import { Inject, Injectable, Module, type DynamicModule, type OnApplicationBootstrap, type OnApplicationShutdown } from '@nestjs/common';
import { APP_FILTER, APP_INTERCEPTOR } from '@nestjs/core';
import {
  commandServer as natsCommandServer,
  NatsCommandBus,
  openConnection,
  RpcErrorFilter,
  RpcTraceInterceptor,
  type NatsConnection,
  type NatsSettings,
} from '@packs/messaging';
import { openReportingBlobStore } from '@packs/object-storage';
import { verifyTimeoutMs } from '@packs/contracts';
import { LOGGER, scannerUp, scanSeconds, signatureVerifySeconds, type Logger } from '@packs/observability';
import type { Scanner } from '@packs/domain';
import { BlobStore, CommandBus } from '@packs/ports';
import { BundleScanner, MalwareScanner, SecretPool, SecretScanner } from '@packs/scanning';
import { Readiness, Recurring, type ConfigOf } from '@packs/service-host';
import { AnswerMemory, VerificationPool } from '@packs/sigstore';
import { AttestationEvaluator } from './evaluation/attestation-evaluator';
import { SignatureEvaluator } from './evaluation/signature-evaluator';
import { SignatureTimer } from './evaluation/signature-timer';
import { PooledSignatureVerifier, SignatureVerifier } from './evaluation/signature-verifier';
import { TrustMaterials } from './evaluation/trust-materials';
import { ReverifyVersion } from './reverify-version/reverify-version';
import { ReverifyVersionHandler } from './reverify-version/reverify-version.handler';
import { BundleScans } from './scanning/bundle-scans';
import { LiveScans, type ScanMeter } from './scanning/live-scans';
import { watchScanners } from './scanning/watch-scanners';
import { VerifyAttestation } from './verify-attestation/verify-attestation';
import { VerifyAttestationHandler } from './verify-attestation/verify-attestation.handler';
import { VerifyBundle } from './verify-bundle/verify-bundle';
import { VerifyBundleHandler } from './verify-bundle/verify-bundle.handler';

type Config = ConfigOf<'verifier'>;
const NATS_CONNECTION = Symbol('NatsConnection');

/** Threads are opened as they are needed. */
const WORKERS = Math.max(1, Math.min(4, availableParallelism()));
/** Few: a scan waits for its slowest part, which is seldom the search for secrets. */
const SECRET_WORKERS = Math.max(1, Math.min(2, availableParallelism()));
/** A question to one of them is answered in milliseconds. */
const SECRET_DEADLINE_MS = 10_000;
/** Of the time that the publisher waits for the whole verification. */
const SCAN_SHARE = 0.7;
const MIB = 1024 * 1024;
const SCANNERS = Symbol('Scanners');

/** A verification takes milliseconds; whatever takes this long is stuck. */
const VERIFICATION_DEADLINE_MS = 10_000;

@Injectable()
class Lifecycle implements OnApplicationBootstrap, OnApplicationShutdown {
  constructor(
    private readonly commands: CommandBus,
    @Inject(NATS_CONNECTION) private readonly connection: NatsConnection,
    private readonly pool: VerificationPool,
    @Inject(SCANNERS) private readonly scanners: readonly BundleScanner[],
    private readonly watch: Recurring,
  ) {}

  onApplicationBootstrap(): void {
    this.watch.start();
  }

  async onApplicationShutdown(): Promise<void> {
    await this.watch.drain();
    if (this.commands instanceof NatsCommandBus) await this.commands.close();
    await this.connection.drain();
    await this.pool.close();
    for (const scanner of this.scanners) await scanner.close();
  }
}

@Module({})
export class AppModule {
  static register(config: Config, logger: Logger): DynamicModule {
    const timer: SignatureTimer = { observe: (seconds, result) => signatureVerifySeconds.observe({ result }, seconds) };
    return {
      module: AppModule,
      controllers: [VerifyBundleHandler, ReverifyVersionHandler, VerifyAttestationHandler],
      providers: [
        { provide: LOGGER, useValue: logger },
        { provide: APP_FILTER, useValue: new RpcErrorFilter(logger) },
        { provide: APP_INTERCEPTOR, useClass: RpcTraceInterceptor },
        { provide: CommandBus, useFactory: () => new NatsCommandBus(natsSettings(config)) },
        {
          provide: BlobStore,
          useFactory: (commands: CommandBus) => openReportingBlobStore(config, commands, 'verifier', logger),
          inject: [CommandBus],
        },
        { provide: NATS_CONNECTION, useFactory: () => openConnection(natsSettings(config)) },
        { provide: SignatureTimer, useValue: timer },
        { provide: VerificationPool, useFactory: () => new VerificationPool({ workers: WORKERS, deadlineMs: VERIFICATION_DEADLINE_MS }) },
        {
          provide: SignatureVerifier,
          useFactory: (pool: VerificationPool) => new PooledSignatureVerifier(pool, new AnswerMemory()),
          inject: [VerificationPool],
        },
        TrustMaterials,
        AttestationEvaluator,
        SignatureEvaluator,
        { provide: SCANNERS, useFactory: () => scannersOf(config) },
        {
          provide: Recurring,
          useFactory: (scanners: readonly BundleScanner[]) =>
            new Recurring('scanners watched', () => watchScanners(scanners, tellScanner), logger),
          inject: [SCANNERS],
        },
        {
          provide: BundleScans,
          useFactory: (blobs: BlobStore, scanners: readonly BundleScanner[]) =>
            new LiveScans(blobs, scanners, SCAN_METER, bytes => SCAN_SHARE * verifyTimeoutMs(bytes)),
          inject: [BlobStore, SCANNERS],
        },
        VerifyBundle,
        ReverifyVersion,
        VerifyAttestation,
        {
          provide: Readiness,
          useFactory: (connection: NatsConnection, blobs: BlobStore) =>
            new Readiness([
              { name: 'nats', check: () => connection.rtt() },
              { name: 'blob-store', check: () => blobs.check() },
            ]),
          inject: [NATS_CONNECTION, BlobStore],
        },
        Lifecycle,
      ],
    };
  }
}

function tellScanner(scanner: Scanner, isUp: boolean): void {
  scannerUp.set({ scanner }, isUp ? 1 : 0);
}

const SCAN_METER: ScanMeter = {
  observe: (scanner, result, seconds) => {
    tellScanner(scanner, result !== 'unreachable' && result !== 'unavailable');
    if (result !== 'unreachable') scanSeconds.observe({ scanner, result }, seconds);
  },
};

function scannersOf({ clamd, clamdMaxFileMib, clamdTimeoutMs }: Config): BundleScanner[] {
  const secrets = new SecretScanner(new SecretPool({ workers: SECRET_WORKERS, deadlineMs: SECRET_DEADLINE_MS }));
  if (!clamd) return [secrets];
  return [secrets, new MalwareScanner({ address: clamd, timeoutMs: clamdTimeoutMs, maxFileBytes: clamdMaxFileMib * MIB })];
}

export function commandServer(config: Config) {
  return natsCommandServer(natsSettings(config));
}

function natsSettings(config: Config): NatsSettings {
  return { process: 'verifier', url: config.natsUrl, password: config.natsPassword };
}
