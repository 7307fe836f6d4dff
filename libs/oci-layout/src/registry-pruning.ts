import { DomainError, EMPTY_JSON, isContentDigest, MEDIA_TYPES, sha256, type Digest } from '@packs/domain';
import type { RemoteManifest, RemoteRepository } from '@packs/ports';
import { writePath } from './registry-place';

const EMPTY = sha256(EMPTY_JSON);

/** Removes from a pack's repository what the mirror has no more use for. */
export class RegistryPruning {
  readonly removed = new Set<string>();

  /**
   * @param named paths that stay
   * @param isOurs tags that a mirror sets
   */
  constructor(
    private readonly repository: RemoteRepository,
    private readonly packId: string,
    private readonly named: ReadonlySet<string>,
    private readonly isOurs: (tag: string) => boolean,
    private readonly signal?: AbortSignal,
  ) {}

  async run(): Promise<void> {
    const tags: string[] = [];
    for await (const tag of this.repository.tags(this.signal)) tags.push(tag);
    for (const tag of tags) {
      const path = writePath({ kind: 'tag', packId: this.packId, tag });
      if (!this.isOurs(tag) || this.named.has(path)) continue;
      await this.removeTag(tag, path);
    }
  }

  /** A tag that names no pack is somebody else's. */
  private async removeTag(tag: string, path: string): Promise<void> {
    const manifest = await this.repository.manifest(tag, this.signal);
    if (manifest && parse(manifest).artifactType !== MEDIA_TYPES.pack) return;
    this.removed.add(path);
    if (!manifest) return;
    if (this.named.has(this.manifestPath(manifest.digest))) return this.repository.removeTag(tag, this.signal);
    for (const { digest } of await this.repository.referrers(manifest.digest, this.signal))
      await this.removeReferrer(manifest.digest, digest);
    await this.removeManifest(manifest);
    this.removed.add(this.manifestPath(manifest.digest));
  }

  /** A signature or attestation of a version that stays. */
  async removeReferrer(subject: Digest, digest: Digest): Promise<void> {
    const manifest = await this.repository.manifest(digest, this.signal);
    if (!manifest) return;
    await this.removeManifest(manifest);
    this.removed.add(writePath({ kind: 'referrer', packId: this.packId, subject, digest }));
  }

  private async removeManifest(manifest: RemoteManifest): Promise<void> {
    await this.repository.removeManifest(manifest.digest, this.signal);
    for (const digest of parse(manifest).blobs) {
      const path = writePath({ kind: 'blob', packId: this.packId, digest });
      if (digest === EMPTY || this.named.has(path)) continue;
      await this.removeBlob(digest);
      this.removed.add(path);
    }
  }

  /** Many registries remove blobs by themselves, once no manifest names them, and not when they are told to. */
  private async removeBlob(digest: Digest): Promise<void> {
    try {
      await this.repository.removeBlob(digest, this.signal);
    } catch (error) {
      if (!(error instanceof DomainError) || error.code !== 'ERR_REGISTRY_REFUSED') throw error;
    }
  }

  private manifestPath(digest: Digest): string {
    return writePath({ kind: 'manifest', packId: this.packId, digest });
  }
}

function parse({ bytes }: RemoteManifest): { readonly artifactType: unknown; readonly blobs: readonly Digest[] } {
  try {
    const { artifactType, config, layers } = JSON.parse(bytes.toString('utf8')) as {
      artifactType?: unknown;
      config?: { digest?: unknown };
      layers?: readonly { digest?: unknown }[];
    };
    return { artifactType, blobs: [config, ...(layers ?? [])].map(one => one?.digest).filter(isContentDigest) };
  } catch {
    return { artifactType: undefined, blobs: [] };
  }
}
