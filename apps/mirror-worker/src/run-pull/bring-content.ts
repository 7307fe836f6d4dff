import { PutManifest } from '@packs/contracts';
import { DomainError, type Digest } from '@packs/domain';
import type { CommandBus, RemoteManifest, RepositoryContents } from '@packs/ports';
import { namedContent } from '@packs/registry-client';
import { otherKind } from './bring-pack';
import type { BringBlobs } from './bring-blobs';
import type { PullPlace } from './pull-place';

/** An index names manifests, and may name indexes. */
const DEPTH_MAX = 4;
/** Manifests that one tag leads to. */
const MANIFESTS_MAX = 1_000;

/** How much of a tree has been gone through. */
interface Walk {
  readonly depth: number;
  readonly seen: Set<Digest>;
}

/** Copies manifests with everything they name, as they are. */
export class BringContent {
  constructor(
    private readonly contents: RepositoryContents,
    private readonly bringBlobs: BringBlobs,
    private readonly commands: CommandBus,
  ) {}

  /** An image, a chart or anything else but a pack, under its tag. @throws DomainError ERR_OCI_REPOSITORY_KIND, and what `put` throws */
  async execute(place: PullPlace, tag: string, manifest: RemoteManifest): Promise<void> {
    if ((await this.contents.kind(place.tenant, place.repository)) === 'pack') throw otherKind(place.repository);
    await this.put(place, manifest, [tag]);
  }

  /** @throws DomainError ERR_OCI_MANIFEST_INVALID, ERR_PACK_TOO_LARGE, ERR_PACK_LIMIT, ERR_REGISTRY_…, and what a push is refused with */
  async put(
    place: PullPlace,
    manifest: RemoteManifest,
    tags: readonly string[],
    { depth, seen }: Walk = { depth: 1, seen: new Set() },
  ): Promise<void> {
    const { tenant, actor, source, repository, signal } = place;
    signal.throwIfAborted();
    const { blobs, children, isPack } = namedContent(manifest);
    if (isPack) throw new DomainError('ERR_OCI_MANIFEST_INVALID', `${manifest.digest} is a pack, and no part of anything else`);
    seen.add(manifest.digest);
    if (seen.size > MANIFESTS_MAX || depth > DEPTH_MAX)
      throw new DomainError('ERR_PACK_LIMIT', `a tag leads to at most ${MANIFESTS_MAX} manifests, ${DEPTH_MAX} deep`);
    const there = await this.contents.manifests(
      tenant,
      repository,
      children.map(({ digest }) => digest),
    );
    for (const { digest } of children) {
      if (there.has(digest) || seen.has(digest)) continue;
      await this.put(place, await manifestAt(place, digest), [], { depth: depth + 1, seen });
    }
    await this.bringBlobs.execute(place, blobs);
    const stored = await this.bringBlobs.manifest(place, manifest);
    const { mediaType } = manifest;
    await this.commands.send(PutManifest, { ...{ tenant, actor, source, repository, mediaType }, tags: [...tags], manifest: stored });
  }
}

/** @throws DomainError ERR_REGISTRY_CORRUPT when it is not there */
export async function manifestAt({ from, signal }: PullPlace, digest: Digest): Promise<RemoteManifest> {
  const manifest = await from.manifest(digest, signal);
  if (manifest) return manifest;
  throw new DomainError('ERR_REGISTRY_CORRUPT', `the registry names the manifest ${digest}, and has none`);
}
