import { createHash } from 'node:crypto';
import type { MirrorState } from '@packs/contracts';
import { canonicalJson, DomainError, EMPTY_JSON, MEDIA_TYPES, sha256, type Descriptor, type Digest } from '@packs/domain';
import type { RemoteManifest, RemoteRepository } from '@packs/ports';
import { encodeMirrorState, parseMirrorState } from './mirror-state';

/** The tag that names the state that is shown. */
const STATE_TAG = 'state';
const ARTIFACT_TYPE = 'application/vnd.stellaops.mirror.state.v1';
const STATE_TYPE = 'application/vnd.stellaops.mirror.state.v1+json';
const EMPTY = { mediaType: MEDIA_TYPES.ociEmpty, digest: sha256(EMPTY_JSON), size: EMPTY_JSON.length };

/** A state as an artifact in the mirror's own repository: stored by digest first, shown by moving one tag. */
export class RegistryState {
  constructor(private readonly repository: RemoteRepository) {}

  /** @throws DomainError ERR_MIRROR_CORRUPT */
  async shown(): Promise<MirrorState | undefined> {
    const manifest = await this.repository.manifest(STATE_TAG);
    return manifest && parseMirrorState(await this.read(documentOf(manifest)));
  }

  /** Stores a state that nobody is shown yet. */
  async store(state: MirrorState, signal?: AbortSignal): Promise<{ readonly digest: Digest; show(): Promise<void> }> {
    const document = describe(encodeMirrorState(state));
    const layer = { ...document, mediaType: STATE_TYPE };
    await this.repository.writeBlob(layer, inOrder(encodeMirrorState(state)), { signal });
    await this.repository.writeBlob(EMPTY, inOrder([EMPTY_JSON]), { signal });
    const parts = { config: EMPTY, layers: [layer] };
    const bytes = Buffer.from(
      canonicalJson({ schemaVersion: 2, mediaType: MEDIA_TYPES.ociManifest, artifactType: ARTIFACT_TYPE, ...parts }),
    );
    const manifest = { mediaType: MEDIA_TYPES.ociManifest, bytes };
    await this.repository.putManifest(sha256(bytes), manifest, signal);
    return {
      digest: document.digest,
      show: async () => {
        await this.repository.putManifest(STATE_TAG, manifest);
      },
    };
  }

  private async read(blob: Descriptor): Promise<Buffer> {
    const parts: Uint8Array[] = [];
    for await (const part of this.repository.readBlob(blob)) parts.push(part);
    return Buffer.concat(parts);
  }
}

function documentOf({ bytes }: RemoteManifest): Descriptor {
  try {
    const { artifactType, layers } = JSON.parse(bytes.toString('utf8')) as { artifactType?: unknown; layers?: readonly Descriptor[] };
    const document = layers?.[0];
    if (artifactType === ARTIFACT_TYPE && document?.mediaType === STATE_TYPE) return document;
  } catch {
    // Told below.
  }
  throw damaged(`what lies under the tag ${STATE_TAG} is no state`);
}

function describe(pieces: Iterable<Buffer>): { readonly digest: Digest; readonly size: number } {
  const hash = createHash('sha256');
  let size = 0;
  for (const piece of pieces) {
    hash.update(piece);
    size += piece.length;
  }
  return { digest: `sha256:${hash.digest('hex')}`, size };
}

async function* inOrder(pieces: Iterable<Buffer>): AsyncGenerator<Buffer> {
  yield* pieces;
}

function damaged(why: string): DomainError {
  return new DomainError('ERR_MIRROR_CORRUPT', `the mirror's state cannot be read: ${why}`);
}
