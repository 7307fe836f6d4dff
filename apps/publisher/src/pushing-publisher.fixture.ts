import { randomUUID } from 'node:crypto';
import {
  VerifyAttestation,
  VerifyBundle,
  type AddAttestationReply,
  type DeleteContentReply,
  type DeleteContentRequest,
  type EventEnvelope,
  type PutManifestReply,
  type VerifyBundleReply,
  type VerifyBundleRequest,
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
  type Check,
  type Digest,
  type PackManifest,
  type PackMetadata,
  type SigningPolicy,
  type Verdict,
  type VerdictFault,
  type VerifiedIdentity,
} from '@packs/domain';
import {
  createDataSource,
  PostgresContentCatalog,
  PostgresGenericContent,
  PostgresRegistryUnitOfWork,
  type DataSource,
} from '@packs/persistence';
import type { BlobRef, RegistryUnitOfWork } from '@packs/ports';
import { verifyAttestation, verifyPackSignature } from '@packs/sigstore';
import { aPack, FixedClock, InMemoryBlobStore, ScriptedCommandBus, testDatabase, type TestDatabase } from '@packs/testing';
import { AddAttestation } from './add-attestation/add-attestation';
import { AttestClaim } from './add-attestation/attest-claim';
import { DeleteContent } from './delete-content/delete-content';
import { DeprecateVersion } from './deprecate-version/deprecate-version';
import { ExpirePending } from './expire-pending/expire-pending';
import { PublishArtifact } from './publish-pack/publish-artifact';
import { PublishPack } from './publish-pack/publish-pack';
import { CompletePending } from './put-manifest/complete-pending';
import { PutManifest } from './put-manifest/put-manifest';
import { PutPack } from './put-manifest/put-pack';
import { PutReferrer } from './put-manifest/put-referrer';
import { PushingSigner } from './pushing-signer.fixture';

export interface TestDescriptor {
  readonly mediaType: string;
  readonly digest: Digest;
  readonly size: number;
}

export interface PushOptions {
  readonly tags?: readonly string[];
  readonly mediaType?: string;
  readonly unitOfWork?: RegistryUnitOfWork;
}

/** The publisher's use-cases over a real database and real signatures; only the bundles are no archives but their pack.yaml. */
export class PushingPublisher {
  readonly blobs = new InMemoryBlobStore();
  readonly commands = new ScriptedCommandBus();
  readonly release = new PushingSigner('release');
  readonly unitOfWork: PostgresRegistryUnitOfWork;
  readonly generic: PostgresGenericContent;
  clock = new FixedClock();
  /** Runs before each verdict on a bundle. */
  meanwhile: () => Promise<unknown> = () => Promise.resolve();
  private tenants = 0;

  private constructor(
    private readonly database: TestDatabase,
    readonly dataSource: DataSource,
  ) {
    this.unitOfWork = new PostgresRegistryUnitOfWork(dataSource, { committed: () => undefined, traceparent: () => null });
    this.generic = new PostgresGenericContent(dataSource, false);
    this.commands.answer(VerifyBundle, request => this.verify(request));
    this.commands.answer(VerifyAttestation, async ({ attestation, subject, policies, trust, channel, packType, evaluatedAt }) => {
      const subjects = [subject.bundle, subject.manifest];
      const result = verifyAttestation({
        mediaType: attestation.mediaType,
        content: this.bytes(attestation),
        subjects,
        keys: [this.release.key],
      });
      const accepted = result.outcome === 'verified';
      const checks: Check[] = [
        { id: 'statement', outcome: accepted ? 'pass' : 'fail', reason: accepted ? 'ok' : 'ERR_PACK_ATTESTATION_INVALID' },
      ];
      const policy = selectPolicy(policies, { channel, packType });
      const findings = { policy, checks, identities: accepted ? [this.identity(attestation.digest)] : [], evidence: [attestation.digest] };
      const verdict = aVerdict({ bundle: subject.bundle, attestation: attestation.digest }, { trust, evaluatedAt }, findings);
      const faults: VerdictFault[] = accepted ? [] : [{ code: 'ERR_PACK_ATTESTATION_INVALID', message: 'no' }];
      return { verdict, verdictHash: verdictHash(verdict), faults, predicateType: accepted ? result.predicateType : null };
    });
  }

  static async open(): Promise<PushingPublisher> {
    const database = await testDatabase();
    const url = database.urlOf('publisher');
    return new PushingPublisher(database, await createDataSource({ url, applicationName: 'spec', poolSize: 16 }).initialize());
  }

  async close(): Promise<void> {
    await this.dataSource.destroy();
    await this.database.drop();
  }

  /** What was done before is another tenant's; versions may wait for signatures by `release`. */
  async anew(unsigned: SigningPolicy['unsigned'] = 'pending', require?: SigningPolicy['require']): Promise<void> {
    this.tenants += 1;
    this.clock = new FixedClock();
    this.commands.sent.length = 0;
    this.meanwhile = () => Promise.resolve();
    await this.policy(unsigned, 1, require);
  }

  policy(unsigned: SigningPolicy['unsigned'], version: number, require?: SigningPolicy['require']): Promise<void> {
    const policy = { name: 'default', version, rule: { keyRef: 'release' }, unsigned, ...(require && { require }) };
    return this.unitOfWork.run(this.tenant, async tx => {
      await tx.trust.state(this.tenant, 'update');
      await tx.trust.addPolicy(policy, this.tenant, 'user:root');
    });
  }

  get tenant(): string {
    return `acme-${this.tenants}`;
  }

  get origin() {
    return { tenant: this.tenant, actor: 'user:alice', source: 'oras/1' };
  }

  async upload(repository: string, content: Uint8Array | string, mediaType = 'application/octet-stream'): Promise<TestDescriptor> {
    const blob = await this.store(content);
    await this.sql(
      `insert into content.repository_blobs (tenant, repository, digest, uploaded_by) values ($1, $2, $3, 'user:alice') on conflict do nothing`,
      [this.tenant, repository, blob.digest],
    );
    return { mediaType, digest: blob.digest, size: blob.size };
  }

  /** Stored and recorded, and linked to no repository. */
  async store(content: Uint8Array | string): Promise<BlobRef> {
    const written = await this.blobs.write(once(Buffer.from(content)), { maxBytes: 8e6 });
    const [{ digest, size, objectKey } = written] = await new PostgresContentCatalog(this.dataSource).record([written]);
    return { digest, size, objectKey };
  }

  /** A bundle, uploaded with its config, and the manifest of both. */
  async packBody(
    metadata: Partial<PackMetadata> = {},
    changes: object = {},
  ): Promise<{ body: object; bundle: TestDescriptor; manifest: PackManifest }> {
    const manifest = aPack({ metadata });
    const repository = manifest.metadata.packId;
    const config = await this.upload(repository, encodePackConfig(manifest), MEDIA_TYPES.packConfig);
    const bundle = await this.upload(repository, JSON.stringify(manifest), MEDIA_TYPES.packBundle);
    const body = {
      schemaVersion: 2,
      mediaType: MEDIA_TYPES.ociManifest,
      artifactType: MEDIA_TYPES.pack,
      config,
      layers: [bundle],
      ...changes,
    };
    return { body, bundle, manifest };
  }

  async pushPack(metadata: Partial<PackMetadata> = {}, options: PushOptions = {}): Promise<PutManifestReply> {
    const { body, manifest } = await this.packBody(metadata);
    return this.push(manifest.metadata.packId, body, options);
  }

  async push(repository: string, body: object | string, options: PushOptions = {}): Promise<PutManifestReply> {
    const { tags = [], mediaType = MEDIA_TYPES.ociManifest, unitOfWork = this.unitOfWork } = options;
    const bytes = Buffer.from(typeof body === 'string' ? body : JSON.stringify(body));
    const manifest = await this.blobs.write(once(bytes), { maxBytes: bytes.length });
    return this.putManifest(unitOfWork).execute({ ...this.origin, repository, tags: [...tags], mediaType, manifest });
  }

  /** A referrer with one document, as cosign 3 and oras make it. */
  async refer(
    subject: Digest,
    content: Uint8Array,
    mediaType: string = MEDIA_TYPES.sigstoreBundle,
    changes: object = {},
    options: PushOptions = {},
  ): Promise<PutManifestReply> {
    const config = await this.upload('acme.hello', '{}', MEDIA_TYPES.ociEmpty);
    const layer = await this.upload('acme.hello', content, mediaType);
    const about = { mediaType: MEDIA_TYPES.ociManifest, digest: subject, size: 1 };
    const body = { schemaVersion: 2, mediaType: MEDIA_TYPES.ociManifest, artifactType: mediaType, config, layers: [layer], subject: about };
    return this.push('acme.hello', { ...body, ...changes }, options);
  }

  async publish(metadata: Partial<PackMetadata> = {}, documents: readonly Uint8Array[] = [], idempotencyKey: string = randomUUID()) {
    const manifest = aPack({ metadata });
    const bundle = await this.store(JSON.stringify(manifest));
    const signatures = [];
    for (const document of documents) signatures.push({ ...(await this.store(document)), mediaType: MEDIA_TYPES.sigstoreBundle });
    const { packId } = manifest.metadata;
    return new PublishPack(this.unitOfWork, this.blobs, this.publishArtifact()).execute({
      ...this.origin,
      ...{ packId, version: null, channel: 'edge', bundle, signatures, manifestDigest: null, idempotencyKey },
    });
  }

  /** As the handler does: beside a version that waits, or of one that is there. */
  async attest(document: Uint8Array): Promise<AddAttestationReply> {
    const attestation = { ...(await this.store(document)), mediaType: MEDIA_TYPES.sigstoreBundle };
    const request = { ...this.origin, packId: 'acme.hello', version: '1.0.0', attestation };
    const add = this.addAttestation(this.unitOfWork);
    const complete = new CompletePending(this.unitOfWork, this.publishArtifact());
    const claimed = await new AttestClaim(this.unitOfWork, this.blobs, this.clock, complete, add).execute(request);
    return claimed ?? add.execute(request);
  }

  private addAttestation(unitOfWork: RegistryUnitOfWork): AddAttestation {
    return new AddAttestation(unitOfWork, this.commands, this.blobs, this.clock);
  }

  delete(repository: string, target: DeleteContentRequest['target']): Promise<DeleteContentReply> {
    const deprecate = new DeprecateVersion(this.unitOfWork, this.clock);
    return new DeleteContent(this.unitOfWork, this.clock, deprecate).execute({ ...this.origin, actor: 'user:bob', repository, target });
  }

  get expirePending(): ExpirePending {
    return new ExpirePending(this.unitOfWork, this.clock);
  }

  private publishArtifact(unitOfWork: RegistryUnitOfWork = this.unitOfWork): PublishArtifact {
    return new PublishArtifact(unitOfWork, this.commands, this.blobs, this.clock);
  }

  private putManifest(unitOfWork: RegistryUnitOfWork): PutManifest {
    const publishArtifact = this.publishArtifact(unitOfWork);
    const attest = this.addAttestation(unitOfWork);
    const putPack = new PutPack(unitOfWork, publishArtifact);
    const putReferrer = new PutReferrer(unitOfWork, this.blobs, this.clock, attest, new CompletePending(unitOfWork, publishArtifact));
    return new PutManifest(this.generic, new PostgresContentCatalog(this.dataSource), this.blobs, this.clock, putPack, putReferrer);
  }

  async events(): Promise<EventEnvelope[]> {
    const rows: { payload: Buffer }[] = await this.dataSource.query(`select payload from registry.outbox where tenant = $1 order by id`, [
      this.tenant,
    ]);
    return rows.map(({ payload }) => JSON.parse(payload.toString()) as EventEnvelope);
  }

  async eventTypes(): Promise<string[]> {
    return (await this.events()).map(({ type }) => type);
  }

  /** Rows as the tenant sees them. */
  sql<Row>(text: string, values: readonly unknown[] = []): Promise<Row[]> {
    return this.dataSource.transaction(async manager => {
      await manager.query(`select set_config('app.tenant', $1, true)`, [this.tenant]);
      return manager.query<Row[]>(text, [...values]);
    });
  }

  private bytes({ objectKey }: BlobRef): Buffer {
    return this.blobs.objects.get(objectKey) ?? Buffer.alloc(0);
  }

  private identity(signature: Digest): VerifiedIdentity {
    return { kind: 'key', name: 'release', keyId: sha256('release'), scheme: 'ed25519', signature };
  }

  private async verify(request: VerifyBundleRequest): Promise<VerifyBundleReply> {
    await this.meanwhile();
    const { bundle, manifest: oci, signatures, policies, channel } = request;
    const manifest = JSON.parse(this.bytes(bundle).toString()) as PackManifest;
    const config = encodePackConfig(manifest);
    const { packId, version } = manifest.metadata;
    const type = packTypeOf(manifest);
    const policy = selectPolicy(policies, { channel, packType: type });
    const named = oci ? (JSON.parse(this.bytes(oci).toString()) as { config: TestDescriptor }) : undefined;
    const fits = (request.packId ?? packId) === packId && (!named || named.config.digest === sha256(config));
    const checks: Check[] = [
      fits ? { id: 'request', outcome: 'pass', reason: 'ok' } : { id: 'request', outcome: 'fail', reason: 'ERR_PACK_MANIFEST_MISMATCH' },
    ];
    const identities: VerifiedIdentity[] = [];
    for (const { digest, size, objectKey, mediaType } of fits ? signatures : []) {
      const artifact = () => once(this.bytes(bundle));
      const signature = { mediaType, content: this.bytes({ digest, size, objectKey }) };
      const signed = oci && { digest: oci.digest, bytes: this.bytes(oci) };
      const result = await verifyPackSignature({
        artifact,
        digest: bundle.digest,
        size: bundle.size,
        manifest: signed,
        signature,
        keys: [this.release.key],
      });
      if (result.valid) identities.push(this.identity(digest));
      checks.push({
        id: 'signature',
        outcome: result.valid ? 'pass' : 'fail',
        reason: result.valid ? 'ok' : result.reason,
        evidence: digest,
      });
    }
    const unsigned = signatures.length === 0;
    const satisfied = policy !== undefined && (isSatisfied(policy.rule, identities) || (unsigned && policy.unsigned === 'allow'));
    if (unsigned && !satisfied) checks.push({ id: 'signature', outcome: 'fail', reason: 'ERR_PACK_SIGNATURE_MISSING' });
    checks.push(
      policy
        ? { id: 'policy', outcome: satisfied ? 'pass' : 'fail', reason: satisfied ? 'ok' : 'ERR_PACK_SIGNATURE_UNTRUSTED' }
        : { id: 'policy', outcome: 'fail', reason: 'ERR_PACK_POLICY_MISSING' },
      ...this.attestationChecks(request, policy),
    );
    const subject = { bundle: bundle.digest, config: sha256(config), ...(oci && { manifest: oci.digest }) };
    const verdict = aVerdict(subject, request, {
      policy,
      checks,
      identities: identities.slice(0, 1),
      evidence: signatures.map(({ digest }) => digest),
    });
    const stored = oci ? null : await this.blobs.write(once(config), { maxBytes: config.length });
    const faults = checks.flatMap(({ outcome, reason }): VerdictFault[] =>
      outcome === 'fail' ? [{ code: reason as VerdictFault['code'], message: reason }] : [],
    );
    return { verdict, verdictHash: verdictHash(verdict), faults, pack: { config: stored, packId, version, type } };
  }

  /** Those that `release` signed are there. */
  private attestationChecks({ bundle, manifest, attestations = [] }: VerifyBundleRequest, policy: SigningPolicy | undefined): Check[] {
    const subjects = [bundle.digest, ...(manifest ? [manifest.digest] : [])];
    const stated = attestations.map(({ mediaType, ...ref }) =>
      verifyAttestation({ mediaType, content: this.bytes(ref), subjects, keys: [this.release.key] }),
    );
    return (policy?.require?.attestations ?? []).map(({ predicateType }): Check => {
      const isThere = stated.some(found => found.outcome === 'verified' && found.predicateType === predicateType);
      return { id: 'attestation', outcome: isThere ? 'pass' : 'fail', reason: isThere ? 'ok' : 'attestation-missing' };
    });
  }
}

interface Findings extends Pick<Verdict, 'checks' | 'identities' | 'evidence'> {
  readonly policy: SigningPolicy | undefined;
}

function aVerdict(
  subject: Verdict['subject'],
  { trust, evaluatedAt }: Pick<VerifyBundleRequest, 'trust' | 'evaluatedAt'>,
  findings: Findings,
): Verdict {
  const { policy, checks, identities, evidence } = findings;
  return {
    schema: 'stellaops.io/verdict.v1',
    outcome: checks.every(({ id, outcome }) => outcome === 'pass' || (id === 'signature' && identities.length > 0))
      ? 'accepted'
      : 'rejected',
    subject,
    policy: policy ? { name: policy.name, version: policy.version, digest: policyDigest(policy) } : null,
    trust: { digest: trust.digest, epoch: trust.epoch },
    ...{ checks, identities, evidence, evaluatedAt },
  };
}

async function* once(bytes: Uint8Array): AsyncIterable<Uint8Array> {
  yield bytes;
}
