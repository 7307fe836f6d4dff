import {
  PublishPack,
  PutManifest,
  type PublishPackReply,
  type PulledRepository,
  type PullPolicy,
  type PutManifestReply,
} from '@packs/contracts';
import {
  DomainError,
  EMPTY_DESCRIPTOR,
  EMPTY_JSON,
  MEDIA_TYPES,
  sha256,
  type Descriptor,
  type Digest,
  type RepositoryKind,
} from '@packs/domain';
import { ContentCatalog, RepositoryContents, type RemoteRepository, type StoredBlob, type VersionByManifest } from '@packs/ports';
import { RegistryClient } from '@packs/registry-client';
import { InMemoryBlobStore, ScriptedCommandBus, type TestOciRegistry } from '@packs/testing';
import { aHeldJob, aMirror, FakeQueue } from '../mirror-worker.fixture';
import { BringBlobs } from './bring-blobs';
import { BringContent } from './bring-content';
import { BringPack } from './bring-pack';
import { BringReferrers } from './bring-referrers';
import { BringTag } from './bring-tag';
import { RunPull } from './run-pull';

const IMAGE_CONFIG = 'application/vnd.example.config.v1+json';
const IMAGE_LAYER = 'application/vnd.example.layer.v1';

class FakeCatalog extends ContentCatalog {
  private readonly known = new Map<Digest, StoredBlob>();

  record(blobs: readonly StoredBlob[]): Promise<StoredBlob[]> {
    return Promise.resolve(
      blobs.map(blob => {
        const held = this.known.get(blob.digest) ?? blob;
        this.known.set(blob.digest, held);
        return held;
      }),
    );
  }
}

/** What repositories have, in memory. */
class FakeContents extends RepositoryContents {
  readonly kinds = new Map<string, RepositoryKind>();
  readonly recorded = new Set<string>();
  readonly tags = new Map<string, Digest>();
  readonly versions = new Map<Digest, VersionByManifest>();
  readonly linked = new Map<string, StoredBlob>();

  kind = (_: string, repository: string): Promise<RepositoryKind | undefined> => Promise.resolve(this.kinds.get(repository));
  versionOf = (_: string, __: string, digest: Digest): Promise<VersionByManifest | undefined> => Promise.resolve(this.versions.get(digest));
  tagged = (_: string, repository: string, tag: string): Promise<Digest | undefined> =>
    Promise.resolve(this.tags.get(`${repository}:${tag}`));

  manifests(_: string, repository: string, digests: readonly Digest[]): Promise<ReadonlySet<Digest>> {
    return Promise.resolve(new Set(digests.filter(digest => this.recorded.has(`${repository}@${digest}`))));
  }

  blobs(_: string, repository: string, digests: readonly Digest[]): Promise<ReadonlyMap<Digest, StoredBlob>> {
    const found = digests.flatMap(digest => this.linked.get(`${repository}@${digest}`) ?? []);
    return Promise.resolve(new Map(found.map(blob => [blob.digest, blob])));
  }

  link(_: string, repository: string, __: string, blob: StoredBlob): Promise<void> {
    this.linked.set(`${repository}@${blob.digest}`, blob);
    return Promise.resolve();
  }
}

/** A pull from a registry over HTTP into repositories that take what they are given. */
export class PullBench {
  readonly contents = new FakeContents();
  readonly blobs = new InMemoryBlobStore();
  readonly commands = new ScriptedCommandBus();
  readonly queue = new FakeQueue();
  sealedBy: 'api' | null = null;
  /** What the publisher refuses a version with, by its manifest. */
  readonly refusals = new Map<Digest, PublishPackReply | DomainError>();
  private readonly client: RegistryClient;
  private readonly runPull: RunPull;

  constructor(
    private readonly registry: TestOciRegistry,
    limits: { readonly maxBundleBytes?: number; readonly maxBlobBytes?: number } = {},
  ) {
    this.client = new RegistryClient({
      registries: [registry.allowed],
      credentialsOf: () => Promise.resolve(undefined),
      pause: () => Promise.resolve(),
      attempts: 2,
    });
    const bringBlobs = new BringBlobs(this.blobs, new FakeCatalog(), this.contents, limits.maxBlobBytes ?? 1_000_000);
    const bringContent = new BringContent(this.contents, bringBlobs, this.commands);
    const bringTag = new BringTag(
      this.contents,
      new BringPack(this.contents, bringBlobs, this.commands, limits.maxBundleBytes ?? 1_000_000),
      bringContent,
      new BringReferrers(this.contents, bringContent),
    );
    this.runPull = new RunPull(this.client, () => Promise.resolve(this.sealedBy), bringTag, this.queue);
    this.answerCommands();
  }

  there(name: string): RemoteRepository {
    return this.client.repository(this.registry.host, `team/${name}`);
  }

  async pull(repositories: readonly PulledRepository[], limits: Partial<PullPolicy> = {}, signal = new AbortController().signal) {
    const pull = { repositories: [...repositories], maxVersions: 100, maxBytes: 1_000_000, ...limits };
    const mirror = aMirror({ kind: 'registry', location: `${this.registry.host}/team`, pull });
    const { outcome } = await this.runPull.execute(aHeldJob(), mirror, signal);
    return outcome;
  }

  private answerCommands(): void {
    this.commands.answer(PublishPack, ({ packId, artifact, bundle }): PublishPackReply => {
      if (!artifact || packId === null) throw new Error('a pull names the pack and its manifest');
      const { digest } = artifact.manifest;
      const refusal = this.refusals.get(digest);
      if (refusal instanceof DomainError) throw refusal;
      if (refusal) return refusal;
      this.contents.kinds.set(packId, 'pack');
      this.contents.recorded.add(`${packId}@${digest}`);
      this.contents.versions.set(digest, { version: '1.0.0', state: 'published' });
      const version = { packId, version: '1.0.0', digest: bundle.digest, manifestDigest: digest, size: bundle.size, channel: 'edge' };
      return { outcome: 'published', ...version, verdictHash: sha256('verdict') };
    });
    this.commands.answer(PutManifest, ({ repository, manifest: { digest, objectKey }, tags }): PutManifestReply => {
      if (!this.contents.kinds.has(repository)) this.contents.kinds.set(repository, 'generic');
      this.contents.recorded.add(`${repository}@${digest}`);
      for (const tag of tags) this.contents.tags.set(`${repository}:${tag}`, digest);
      return { digest, objectKey, subject: null, state: 'stored', version: null };
    });
  }
}

export async function put(repository: RemoteRepository, bytes: Buffer, mediaType: string): Promise<Descriptor> {
  await repository.writeBlob({ digest: sha256(bytes), size: bytes.length }, once(bytes));
  return { mediaType, digest: sha256(bytes), size: bytes.length };
}

export async function putManifest(repository: RemoteRepository, manifest: object, tag?: string): Promise<Descriptor> {
  const { mediaType = MEDIA_TYPES.ociManifest } = manifest as { mediaType?: string };
  const bytes = Buffer.from(JSON.stringify({ schemaVersion: 2, mediaType, ...manifest }));
  await repository.putManifest(tag ?? sha256(bytes), { mediaType, bytes });
  return { mediaType, digest: sha256(bytes), size: bytes.length };
}

/** A pack under a tag. */
export async function putPack(repository: RemoteRepository, tag: string, content = tag): Promise<Descriptor> {
  const layers = [await put(repository, Buffer.from(`bundle ${content}`), MEDIA_TYPES.packBundle)];
  const config = await put(repository, Buffer.from(`{"of":"${content}"}`), MEDIA_TYPES.packConfig);
  return putManifest(repository, { artifactType: MEDIA_TYPES.pack, config, layers }, tag);
}

/** An image, under a tag or by its digest alone. */
export async function putImage(repository: RemoteRepository, tag: string | undefined, content = tag ?? ''): Promise<Descriptor> {
  const layers = [await put(repository, Buffer.from(`layer ${content}`), IMAGE_LAYER)];
  return putManifest(repository, { config: await put(repository, Buffer.from(`{"of":"${content}"}`), IMAGE_CONFIG), layers }, tag);
}

/** Something that refers to a manifest, and is no signature. */
export async function putReferrer(repository: RemoteRepository, subject: Descriptor, content: string): Promise<Descriptor> {
  await put(repository, EMPTY_JSON, MEDIA_TYPES.ociEmpty);
  const layers = [await put(repository, Buffer.from(content), 'text/spdx')];
  return putManifest(repository, { artifactType: 'text/spdx', config: EMPTY_DESCRIPTOR, layers, subject });
}

async function* once(bytes: Buffer): AsyncGenerator<Buffer> {
  yield bytes;
}
