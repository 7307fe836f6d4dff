import { questionOf, type JudgingCommand, type JudgingRequests } from '@packs/contracts';
import { MEDIA_TYPES, verdictHash, type Digest, type SigningPolicy, type TrustMaterial, type Verdict } from '@packs/domain';
import {
  createDataSource,
  PostgresContentCatalog,
  PostgresRegistryUnitOfWork,
  PostgresVerdictArchive,
  type DataSource,
} from '@packs/persistence';
import type { BlobRef, TrustState } from '@packs/ports';
import { encodeTrustMaterial } from '@packs/sigstore';
import { testDatabase, type InMemoryBlobStore, type TestDatabase } from '@packs/testing';
import { aVerifier } from '../evaluation/verifier.fixture';
import { Rejudge } from './rejudge';
import { ReplayVerdicts } from './replay-verdicts';
import { UnwrittenBlobStore } from './unwritten-blob-store';

/** A registry's record of verdicts in a real database, filled as the publisher fills it and read as an auditor reads it. */
export class ArchivedRegistry {
  readonly verifier = aVerifier();
  readonly unitOfWork: PostgresRegistryUnitOfWork;
  private readonly rejudge: Rejudge;
  private clock = Date.parse('2026-01-17T08:00:00.000Z');

  private constructor(
    readonly database: TestDatabase,
    private readonly publisher: DataSource,
    private readonly auditor: DataSource,
    private readonly admin: DataSource,
  ) {
    this.unitOfWork = new PostgresRegistryUnitOfWork(publisher, { committed: () => undefined, traceparent: () => null });
    this.rejudge = new Rejudge(this.blobs, this.verifier.verifier);
  }

  static async open(): Promise<ArchivedRegistry> {
    const database = await testDatabase();
    const open = (url: string): Promise<DataSource> => createDataSource({ url, applicationName: 'spec', poolSize: 4 }).initialize();
    const [publisher, auditor] = [await open(database.urlOf('publisher')), await open(database.urlOf('auditor'))];
    return new ArchivedRegistry(database, publisher, auditor, await open(database.adminUrl));
  }

  get blobs(): InMemoryBlobStore {
    return this.verifier.blobs;
  }

  get archive(): PostgresVerdictArchive {
    return new PostgresVerdictArchive(this.auditor);
  }

  get replay(): ReplayVerdicts {
    return new ReplayVerdicts(this.archive, new Rejudge(new UnwrittenBlobStore(this.blobs), this.verifier.verifier));
  }

  /** What a bad disk or a hand in the database does. */
  sql<Row>(text: string, values: unknown[] = []): Promise<Row[]> {
    return this.admin.query<Row[]>(text, values);
  }

  async put(content: Buffer): Promise<BlobRef> {
    const blob = { ...this.blobs.put(content), blockChecksums: '' };
    await new PostgresContentCatalog(this.publisher).record([blob]);
    return { digest: blob.digest, size: blob.size, objectKey: blob.objectKey };
  }

  async signature(content: Buffer) {
    return { ...(await this.put(content)), mediaType: MEDIA_TYPES.sigstoreBundle };
  }

  async trust(tenant: string, material: TrustMaterial): Promise<void> {
    const blob = await this.put(encodeTrustMaterial(material));
    await this.unitOfWork.run(tenant, async tx => {
      const { epoch } = await tx.trust.state(tenant, 'update');
      await tx.trust.setMaterial(tenant, epoch + 1, blob);
    });
  }

  policy(tenant: string, policy: SigningPolicy): Promise<void> {
    return this.unitOfWork.run(tenant, async tx => {
      await tx.trust.state(tenant, 'update');
      await tx.trust.addPolicy(policy, tenant, 'user:alice');
    });
  }

  /** Asks under the tenant's trust of now, and stores what was answered. */
  async judge<C extends JudgingCommand>(
    tenant: string,
    command: C,
    question: Omit<JudgingRequests[C], 'tenant' | 'policies' | 'trust' | 'evaluatedAt'>,
    about: { packId: string; version: string },
  ): Promise<{ verdict: Verdict; hash: Digest }> {
    const { policies, digest, epoch, material }: TrustState = await this.unitOfWork.run(tenant, tx => tx.trust.state(tenant, 'none'));
    const evaluatedAt = new Date((this.clock += 1_000)).toISOString();
    const asked = { ...question, tenant, policies: [...policies], trust: { digest, epoch, material }, evaluatedAt };
    const request = asked as unknown as JudgingRequests[C];
    const { verdict } = await this.rejudge.execute(command, request);
    const hash = verdictHash(verdict);
    await this.unitOfWork.run(tenant, tx => tx.packs.addVerdict(tenant, verdict, hash, questionOf(command, request, about)));
    return { verdict, hash };
  }

  async close(): Promise<void> {
    for (const one of [this.publisher, this.auditor, this.admin]) await one.destroy();
    await this.database.drop();
  }
}
