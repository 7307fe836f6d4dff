import { randomUUID } from 'node:crypto';
import {
  ReverifyVersion,
  VerifyBundle,
  type EventEnvelope,
  type PublishPackReply,
  type RotateSignatureReply,
  type RotateSignatureRequest,
} from '@packs/contracts';
import {
  encodePackConfig,
  isSatisfied,
  MEDIA_TYPES,
  packTypeOf,
  policyDigest,
  selectPolicy,
  sha256,
  verdictHash,
  type Digest,
  type PackManifest,
  type PackMetadata,
  type PackType,
  type SigningPolicy,
  type Verdict,
} from '@packs/domain';
import { createDataSource, PostgresContentCatalog, PostgresRegistryUnitOfWork, type DataSource } from '@packs/persistence';
import type { BlobRef, RegistryUnitOfWork } from '@packs/ports';
import { aPack, FixedClock, InMemoryBlobStore, ScriptedCommandBus, testDatabase, type TestDatabase } from '@packs/testing';
import { PublishArtifact } from './publish-pack/publish-artifact';
import { PublishPack } from './publish-pack/publish-pack';
import { RotateSignature } from './rotate-signature/rotate-signature';
import { SettleVersion, type Settled } from './settle-version/settle-version';

interface Judgement {
  readonly channel: string;
  readonly packType: PackType;
  readonly bundle: BlobRef;
  readonly signatures: readonly BlobRef[];
  readonly attestations?: readonly BlobRef[];
  readonly policies: readonly SigningPolicy[];
  readonly trust: { readonly digest: Digest; readonly epoch: number };
  readonly evaluatedAt: string;
}

export interface RotationChanges extends Partial<Omit<RotateSignatureRequest, 'signatures'>> {
  readonly signers?: readonly string[];
  readonly unitOfWork?: RegistryUnitOfWork;
}

/** The publisher's use-cases over a real database; the verifier beside it knows whose a signature is by its bytes. */
export class JudgingPublisher {
  readonly blobs = new InMemoryBlobStore();
  clock = new FixedClock();
  readonly commands = new ScriptedCommandBus();
  readonly unitOfWork: PostgresRegistryUnitOfWork;
  private tenants = 0;
  /** Keys whose signatures count. */
  readonly trusted = new Set(['release', 'board']);
  /** Whether stored bytes are not what was proven. */
  damaged = false;
  /** Runs before each verdict on a stored version. */
  meanwhile: () => Promise<unknown> = () => Promise.resolve();

  private constructor(
    readonly database: TestDatabase,
    readonly dataSource: DataSource,
  ) {
    this.unitOfWork = new PostgresRegistryUnitOfWork(dataSource, { committed: () => undefined, traceparent: () => null });
    this.commands.answer(VerifyBundle, async request => {
      const manifest = JSON.parse((this.blobs.objects.get(request.bundle.objectKey) ?? '').toString()) as PackManifest;
      const config = await this.blobs.write(once(encodePackConfig(manifest)), { maxBytes: 1e6 });
      const { packId, version } = manifest.metadata;
      const packType = packTypeOf(manifest);
      return { ...this.judge({ ...request, packType }), pack: { config, packId, version, type: packType } };
    });
    this.commands.answer(ReverifyVersion, async request => {
      await this.meanwhile();
      return this.judge(request, true);
    });
  }

  static async open(): Promise<JudgingPublisher> {
    const database = await testDatabase();
    const url = database.urlOf('publisher');
    return new JudgingPublisher(database, await createDataSource({ url, applicationName: 'spec', poolSize: 12 }).initialize());
  }

  /** What was done before is another tenant's. */
  anew(): void {
    this.tenants += 1;
    this.clock = new FixedClock();
    this.commands.sent.length = 0;
    for (const key of ['release', 'board']) this.trusted.add(key);
    this.meanwhile = () => Promise.resolve();
    this.damaged = false;
  }

  get tenant(): string {
    return `acme-${this.tenants}`;
  }

  get origin() {
    return { tenant: this.tenant, actor: 'user:alice', source: 'spec/1' };
  }

  async close(): Promise<void> {
    await this.dataSource.destroy();
    await this.database.drop();
  }

  /** Publishes a pack signed by the keys named. */
  async publish(
    metadata: Partial<PackMetadata>,
    signers: readonly string[] = ['release'],
    channel = 'edge',
    unitOfWork: RegistryUnitOfWork = this.unitOfWork,
  ): Promise<PublishPackReply> {
    const manifest = aPack({ metadata });
    const content = JSON.stringify(manifest);
    const [bundle, ...signatures] = await this.store([content, ...signers.map(signer => `${signer} signed ${content}`)]);
    if (!bundle) throw new Error('nothing was recorded');
    return new PublishPack(unitOfWork, this.blobs, new PublishArtifact(unitOfWork, this.commands, this.blobs, this.clock)).execute({
      ...this.origin,
      packId: manifest.metadata.packId,
      version: null,
      channel,
      bundle,
      signatures: signatures.map(blob => ({ ...blob, mediaType: MEDIA_TYPES.sigstoreBundle })),
      manifestDigest: null,
      idempotencyKey: randomUUID(),
    });
  }

  /** Stored and recorded. */
  async store(texts: readonly string[]): Promise<BlobRef[]> {
    const blobs = await Promise.all(texts.map(text => this.blobs.write(once(Buffer.from(text)), { maxBytes: 1e6 })));
    return (await new PostgresContentCatalog(this.dataSource).record(blobs)).map(toRef);
  }

  /** Sends signatures by the keys named, each with a text of its own, for a published version. */
  async rotate(
    version: string,
    { signers = [], unitOfWork = this.unitOfWork, ...changes }: RotationChanges = {},
  ): Promise<RotateSignatureReply> {
    const signatures = await this.store(signers.map(signer => `${signer} signed ${version} again`));
    return new RotateSignature(unitOfWork, this.commands, this.blobs, this.clock).execute({
      ...this.origin,
      ...{ packId: 'acme.hello', version, replaces: [], reason: null, idempotencyKey: null },
      signatures: signatures.map(blob => ({ ...blob, mediaType: MEDIA_TYPES.sigstoreBundle })),
      ...changes,
    });
  }

  settle(version: string): Promise<Settled> {
    return new SettleVersion(this.unitOfWork, this.commands, this.clock).execute({ tenant: this.tenant, packId: 'acme.hello', version });
  }

  policy(policy: Partial<SigningPolicy> = {}): Promise<void> {
    const complete: SigningPolicy = { name: 'default', version: 1, rule: { keyRef: 'release' }, unsigned: 'reject', ...policy };
    return this.unitOfWork.run(this.tenant, async tx => {
      await tx.trust.state(this.tenant, 'update');
      await tx.trust.addPolicy(complete, this.tenant, this.origin.actor);
    });
  }

  /** New trust material: what was verified before has to be verified again. */
  async raiseEpoch(epoch: number, material: Buffer = Buffer.from(`{"keys":[]}${' '.repeat(epoch % 1_000)}`)): Promise<void> {
    const blob = await this.blobs.write(once(material), { maxBytes: 1e6 });
    await new PostgresContentCatalog(this.dataSource).record([blob]);
    await this.unitOfWork.run(this.tenant, async tx => {
      await tx.trust.state(this.tenant, 'update');
      await tx.trust.setMaterial(this.tenant, epoch, toRef(blob));
    });
  }

  /** What was asked of the verifier about stored versions. */
  reverified(): readonly Judgement[] {
    return this.commands.sent.filter(({ subject }) => subject === ReverifyVersion.subject).map(({ request }) => request as Judgement);
  }

  async events(type: string): Promise<EventEnvelope[]> {
    const rows: { payload: Buffer }[] = await this.dataSource.query(
      `select payload from registry.outbox where subject = $1 and tenant = $2 order by id`,
      [type, this.tenant],
    );
    return rows.map(({ payload }) => JSON.parse(payload.toString()) as EventEnvelope);
  }

  /** Rows as the tenant sees them. */
  async rows<Row>(text: string): Promise<Row[]> {
    return this.dataSource.transaction(async manager => {
      await manager.query(`select set_config('app.tenant', $1, true)`, [this.tenant]);
      return manager.query<Row[]>(text);
    });
  }

  /** @param attested whether attestations are looked for, which a publish here never brings */
  private judge({ channel, packType, bundle, signatures, attestations = [], policies, trust, evaluatedAt }: Judgement, attested = false) {
    const policy = selectPolicy(policies, { channel, packType });
    const signers = signatures.map(ref => ({ ref, name: (this.blobs.objects.get(ref.objectKey) ?? '').toString().split(' ')[0] ?? '' }));
    const identities = signers.filter(({ name }) => this.trusted.has(name));
    const signed = policy !== undefined && isSatisfied(policy.rule, identities);
    const wanting = attested && (policy?.require?.attestations ?? []).length > attestations.length;
    const accepted = signed && !wanting;
    const lacking = signed ? 'ERR_PACK_ATTESTATION_MISSING' : 'ERR_PACK_SIGNATURE_UNTRUSTED';
    const reason = accepted ? 'ok' : policy ? lacking : 'ERR_PACK_POLICY_MISSING';
    const verdict: Verdict = {
      schema: 'stellaops.io/verdict.v1',
      outcome: accepted ? 'accepted' : 'rejected',
      subject: { bundle: bundle.digest },
      policy: policy ? { name: policy.name, version: policy.version, digest: policyDigest(policy) } : null,
      trust: { digest: trust.digest, epoch: trust.epoch },
      evidence: signatures.map(({ digest }) => digest),
      checks: [
        ...identities.map(({ ref }) => ({ id: 'signature', outcome: 'pass', reason: 'ok', evidence: ref.digest }) as const),
        ...(this.damaged ? [DAMAGED] : []),
        { id: 'policy', outcome: accepted ? 'pass' : 'fail', reason },
      ],
      identities: identities.map(({ ref, name }) => ({ kind: 'key', name, keyId: sha256(name), scheme: 'ed25519', signature: ref.digest })),
      evaluatedAt,
    };
    const faults = reason === 'ok' ? [] : [{ code: reason, message: `channel ${channel}` } as const];
    return { verdict, verdictHash: verdictHash(verdict), faults };
  }
}

const DAMAGED = { id: 'digest', outcome: 'fail', reason: 'ERR_PACK_DIGEST_MISMATCH' } as const;

async function* once(bytes: Buffer): AsyncIterable<Uint8Array> {
  yield bytes;
}

function toRef({ digest, size, objectKey }: BlobRef): BlobRef {
  return { digest, size, objectKey };
}
