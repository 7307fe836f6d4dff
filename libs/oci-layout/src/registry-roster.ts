import { canonicalJson, EMPTY_JSON, MEDIA_TYPES, sha256 } from '@packs/domain';
import type { RemoteRepository } from '@packs/ports';

const EMPTY = { mediaType: MEDIA_TYPES.ociEmpty, digest: sha256(EMPTY_JSON), size: EMPTY_JSON.length };
const ENTRY = {
  mediaType: MEDIA_TYPES.ociManifest,
  bytes: Buffer.from(
    canonicalJson({
      schemaVersion: 2,
      mediaType: MEDIA_TYPES.ociManifest,
      artifactType: 'application/vnd.stellaops.mirror.pack.v1',
      config: EMPTY,
      layers: [EMPTY],
    }),
  ),
};

/**
 * The packs in whose repositories a mirror has ever written, each a tag of a repository of the mirror's own: no registry need tell what
 * repositories it has, and what a killed writer left has to be found.
 */
export class RegistryRoster {
  private known: Promise<Set<string>> | undefined;

  constructor(private readonly repository: RemoteRepository) {}

  async packIds(signal?: AbortSignal): Promise<string[]> {
    const packIds: string[] = [];
    for await (const tag of this.repository.tags(signal)) packIds.push(tag);
    return packIds;
  }

  /** To be called before anything is written in a pack's repository. */
  async enter(packId: string, signal?: AbortSignal): Promise<void> {
    this.known ??= this.packIds(signal).then(packIds => new Set(packIds));
    const known = await this.known.catch((error: unknown) => {
      this.known = undefined;
      throw error;
    });
    if (known.has(packId)) return;
    await this.repository.writeBlob(EMPTY, once(EMPTY_JSON), { signal });
    await this.repository.putManifest(packId, ENTRY, signal);
    known.add(packId);
  }
}

async function* once(bytes: Buffer): AsyncGenerator<Buffer> {
  yield bytes;
}
