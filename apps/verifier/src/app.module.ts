import { availableParallelism } from 'node:os';
import { Inject, Injectable, Module, type DynamicModule, type OnApplicationShutdown } from '@nestjs/common';
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
import { LOGGER, signatureVerifySeconds, type Logger } from '@packs/observability';
import { BlobStore, CommandBus } from '@packs/ports';
import { Readiness, type ConfigOf } from '@packs/service-host';
import { VerificationPool } from '@packs/sigstore';
import { AttestationEvaluator } from './evaluation/attestation-evaluator';
import { SignatureEvaluator } from './evaluation/signature-evaluator';
import { SignatureTimer } from './evaluation/signature-timer';
import { PooledSignatureVerifier, SignatureVerifier } from './evaluation/signature-verifier';
import { TrustMaterials } from './evaluation/trust-materials';
import { ReverifyVersion } from './reverify-version/reverify-version';
import { ReverifyVersionHandler } from './reverify-version/reverify-version.handler';
import { VerifyAttestation } from './verify-attestation/verify-attestation';
import { VerifyAttestationHandler } from './verify-attestation/verify-attestation.handler';
import { VerifyBundle } from './verify-bundle/verify-bundle';
import { VerifyBundleHandler } from './verify-bundle/verify-bundle.handler';

type Config = ConfigOf<'verifier'>;
const NATS_CONNECTION = Symbol('NatsConnection');

/** Threads are opened as they are needed. */
const WORKERS = Math.max(1, Math.min(4, availableParallelism()));
/** A verification takes milliseconds; whatever takes this long is stuck. */
const VERIFICATION_DEADLINE_MS = 10_000;

@Injectable()
class Lifecycle implements OnApplicationShutdown {
  constructor(
    private readonly commands: CommandBus,
    @Inject(NATS_CONNECTION) private readonly connection: NatsConnection,
    private readonly pool: VerificationPool,
  ) {}

  async onApplicationShutdown(): Promise<void> {
    if (this.commands instanceof NatsCommandBus) await this.commands.close();
    await this.connection.drain();
    await this.pool.close();
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
          useFactory: (pool: VerificationPool) => new PooledSignatureVerifier(pool),
          inject: [VerificationPool],
        },
        TrustMaterials,
        AttestationEvaluator,
        SignatureEvaluator,
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

export function commandServer(config: Config) {
  return natsCommandServer(natsSettings(config));
}

function natsSettings(config: Config): NatsSettings {
  return { process: 'verifier', url: config.natsUrl, password: config.natsPassword };
}
