import { randomUUID } from 'node:crypto';
import {
  VerifyBundle,
  type ProcessName,
  type PublishPackRequest,
  type VerifyBundleReply,
  type VerifyBundleRequest,
} from '@packs/contracts';
import {
  encodePackConfig,
  MEDIA_TYPES,
  packTypeOf,
  policyDigest,
  selectPolicy,
  sha256,
  verdictHash,
  type Digest,
  type PackManifest,
  type Verdict,
  type VerdictFault,
} from '@packs/domain';
import { createDataSource, PostgresContentCatalog, PostgresRegistryUnitOfWork, type DataSource } from '@packs/persistence';
import type { BlobRef, RegistryTx, RegistryUnitOfWork } from '@packs/ports';
import {
  aPack,
  FixedClock,
  InMemoryBlobStore,
  ScriptedCommandBus,
  testDatabase,
  type PackChanges,
  type TestDatabase,
} from '@packs/testing';
import { PublishArtifact } from './publish-pack/publish-artifact';
import { PublishPack } from './publish-pack/publish-pack';

export interface PublisherRow {
  readonly [column: string]: unknown;
}

export interface PublishChanges extends PackChanges {
  readonly request?: Partial<PublishPackRequest>;
  /** What makes this bundle another than one with the same manifest. */
  readonly content?: string;
  readonly signatures?: readonly string[];
}

/** Publisher's use-cases over a real database, with the verifier and the bytes replaced. */
export class SpecPublisher {
  blobs = new InMemoryBlobStore();
  commands = new ScriptedCommandBus();
  clock = new FixedClock();
  /** What the verifier finds wrong, if anything. */
  fault: VerdictFault | undefined;
  /** What a scanner reports, if one looked. */
  report: string | undefined;
  /** What the verifier was asked. */
  readonly asked: VerifyBundleRequest[] = [];
  /** Happens while the verifier is at work. */
  duringVerification: (() => Promise<unknown>) | undefined;
  private readonly packed = new Map<string, PackManifest>();

  private constructor(
    private readonly database: TestDatabase,
    readonly dataSource: DataSource,
    private readonly admin: DataSource,
    readonly unitOfWork: RegistryUnitOfWork,
  ) {}

  static async open(poolSize = 20): Promise<SpecPublisher> {
    const database = await testDatabase();
    const dataSource = await createDataSource({ url: database.urlOf('publisher'), applicationName: 'spec', poolSize }).initialize();
    const admin = await createDataSource({ url: database.adminUrl, applicationName: 'spec', poolSize: 1 }).initialize();
    const unitOfWork = new PostgresRegistryUnitOfWork(dataSource, { committed: () => undefined, traceparent: () => null });
    return new SpecPublisher(database, dataSource, admin, unitOfWork);
  }

  /** As if it had just been opened. */
  async reset(): Promise<void> {
    await this.database.empty();
    this.blobs = new InMemoryBlobStore();
    this.commands = new ScriptedCommandBus().answer(VerifyBundle, request => this.verify(request));
    this.clock = new FixedClock();
    this.fault = undefined;
    this.report = undefined;
    this.asked.length = 0;
    this.duringVerification = undefined;
  }

  get publishPack(): PublishPack {
    return new PublishPack(this.unitOfWork, this.blobs, new PublishArtifact(this.unitOfWork, this.commands, this.blobs, this.clock));
  }

  /** A request to publish a bundle that the gateway has stored and recorded. */
  async aRequest({ request, content = '', signatures = ['signed'], ...changes }: PublishChanges = {}): Promise<PublishPackRequest> {
    const manifest = aPack(changes);
    const bundle = await this.store(`bundle of ${JSON.stringify(manifest)} ${content}`);
    this.packed.set(bundle.digest, manifest);
    const documents = await Promise.all(signatures.map(text => this.store(`${text} ${bundle.digest}`)));
    return {
      tenant: 'acme',
      actor: 'user:alice',
      source: 'stella/1.0',
      packId: null,
      version: null,
      channel: 'edge',
      bundle,
      signatures: documents.map(document => ({ ...document, mediaType: MEDIA_TYPES.sigstoreBundle })),
      manifestDigest: null,
      idempotencyKey: randomUUID(),
      ...request,
    };
  }

  async publish(changes: PublishChanges = {}) {
    return this.publishPack.execute(await this.aRequest(changes));
  }

  async store(content: string): Promise<BlobRef> {
    const bytes = Buffer.from(content);
    const stored = await this.blobs.write(single(bytes), { maxBytes: bytes.length });
    const [{ digest, size, objectKey } = stored] = await new PostgresContentCatalog(this.dataSource).record([stored]);
    return { digest, size, objectKey };
  }

  /** Rows as they are, whoever they belong to. */
  rows(query: string): Promise<PublisherRow[]> {
    return this.admin.query(query);
  }

  urlOf(process: ProcessName): string {
    return this.database.urlOf(process);
  }

  async events(): Promise<{ type: string; data: PublisherRow }[]> {
    const rows = await this.rows(`select payload from registry.outbox order by id`);
    return rows.map(row => JSON.parse((row['payload'] as Buffer).toString()) as { type: string; data: PublisherRow });
  }

  async close(): Promise<void> {
    await this.dataSource.destroy();
    await this.admin.destroy();
    await this.database.drop();
  }

  private async verify(request: VerifyBundleRequest): Promise<VerifyBundleReply> {
    const manifest = this.packed.get(request.bundle.digest) ?? aPack();
    const configBytes = encodePackConfig(manifest);
    const config = await this.blobs.write(single(configBytes), { maxBytes: configBytes.length });
    this.asked.push(request);
    let verdict = aVerdict(request, manifest, this.fault);
    await this.duringVerification?.();
    const report = this.report === undefined ? undefined : await this.blobs.writeBytes(Buffer.from(this.report));
    if (report) verdict = withScan(verdict, report.digest);
    const { packId, version } = manifest.metadata;
    return {
      verdict,
      verdictHash: verdictHash(verdict),
      faults: this.fault ? [this.fault] : [],
      pack: { config: this.fault ? null : config, packId, version, type: packTypeOf(manifest) },
      ...(report && { scanReports: [report] }),
    };
  }
}

function withScan(verdict: Verdict, evidence: Digest): Verdict {
  return { ...verdict, checks: [...verdict.checks, { id: 'scan', outcome: 'pass', reason: 'ok', evidence, scanner: 'secrets' }] };
}

async function* single(bytes: Buffer): AsyncGenerator<Buffer> {
  yield bytes;
}

function aVerdict(request: VerifyBundleRequest, manifest: PackManifest, fault: VerdictFault | undefined): Verdict {
  const policy = selectPolicy(request.policies, { channel: request.channel, packType: packTypeOf(manifest) });
  const evidence = request.signatures.map(signature => signature.digest);
  return {
    schema: 'stellaops.io/verdict.v1',
    outcome: fault ? 'rejected' : 'accepted',
    subject: { bundle: request.bundle.digest, config: sha256(encodePackConfig(manifest)) },
    policy: policy ? { name: policy.name, version: policy.version, digest: policyDigest(policy) } : null,
    trust: { digest: request.trust.digest, epoch: request.trust.epoch },
    evidence,
    checks: [fault ? { id: 'signature', outcome: 'fail', reason: fault.code } : { id: 'signature', outcome: 'pass', reason: 'ok' }],
    identities: evidence.map(signature => ({ kind: 'key', name: 'release', keyId: sha256('key'), scheme: 'ed25519', signature })),
    evaluatedAt: request.evaluatedAt,
  };
}

/** Does all the work of the n-th transaction and then fails, as a process that dies before its commit. */
export function dyingInTransaction(inner: RegistryUnitOfWork, nth: number): RegistryUnitOfWork {
  let begun = 0;
  return {
    run: <T>(tenant: string, work: (tx: RegistryTx) => Promise<T>): Promise<T> => {
      const dies = ++begun === nth;
      return inner.run(tenant, async tx => {
        const result = await work(tx);
        if (dies) throw new Error('died before the commit');
        return result;
      });
    },
  };
}
