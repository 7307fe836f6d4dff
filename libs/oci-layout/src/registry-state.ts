import { createHash } from 'node:crypto';
import type { MirrorState } from '@packs/contracts';
import { canonicalJson, DomainError, EMPTY_JSON, MEDIA_TYPES, sha256, type Descriptor, type Digest } from '@packs/domain';
import type { RemoteManifest, RemoteRepository } from '@packs/ports';
import { encodeMirrorState, parseMirrorState } from './mirror-state';

/** The tag that names the state that is shown. */
const STATE_TAG = 'state';
const ARTIFACT_TYPE = 'application/vnd.stellaops.mirror.state.v1';
const STATE_TYPE = 'application/vnd.stellaops.mirror.state.v1+json';
/** On the artifact: this registry moves the tags of channels itself, and the mirror leaves them to it. */
const CHANNELS_ANNOTATION = 'io.stellaops.mirror.channels';
const LEFT_TO_REGISTRY = 'left-to-registry';
const EMPTY = { mediaType: MEDIA_TYPES.ociEmpty, digest: sha256(EMPTY_JSON), size: EMPTY_JSON.length };

export interface StoredState {
  readonly digest: Digest;
  show(leavesChannels: boolean): Promise<void>;
}

/** A state as an artifact in the mirror's own repository: stored by digest first, shown by moving one tag. */
export class RegistryState {
  constructor(private readonly repository: RemoteRepository) {}

  /** @throws DomainError ERR_MIRROR_CORRUPT */
  async shown(): Promise<MirrorState | undefined> {
    const manifest = await this.repository.manifest(STATE_TAG);
    return manifest && parseMirrorState(await this.read(documentOf(manifest)));
  }

  /** Undefined while there is no state. */
  async leavesChannels(signal?: AbortSignal): Promise<boolean | undefined> {
    const manifest = await this.repository.manifest(STATE_TAG, signal);
    return manifest && annotationsOf(manifest)[CHANNELS_ANNOTATION] === LEFT_TO_REGISTRY;
  }

  /** Stores a state that nobody is shown yet. */
  async store(state: MirrorState, signal?: AbortSignal): Promise<StoredState> {
    const document = describe(encodeMirrorState(state));
    const layer = { ...document, mediaType: STATE_TYPE };
    await this.repository.writeBlob(layer, inOrder(encodeMirrorState(state)), { signal });
    await this.repository.writeBlob(EMPTY, inOrder([EMPTY_JSON]), { signal });
    const manifest = artifactOf(layer, false);
    await this.repository.putManifest(sha256(manifest.bytes), manifest, signal);
    return {
      digest: document.digest,
      show: async leavesChannels => {
        await this.repository.putManifest(STATE_TAG, leavesChannels ? artifactOf(layer, true) : manifest);
      },
    };
  }

  private async read(blob: Descriptor): Promise<Buffer> {
    const parts: Uint8Array[] = [];
    for await (const part of this.repository.readBlob(blob)) parts.push(part);
    return Buffer.concat(parts);
  }
}

function artifactOf(layer: Descriptor, leavesChannels: boolean): Pick<RemoteManifest, 'mediaType' | 'bytes'> {
  const artifact = {
    ...{ schemaVersion: 2, mediaType: MEDIA_TYPES.ociManifest, artifactType: ARTIFACT_TYPE, config: EMPTY, layers: [layer] },
    ...(leavesChannels && { annotations: { [CHANNELS_ANNOTATION]: LEFT_TO_REGISTRY } }),
  };
  return { mediaType: MEDIA_TYPES.ociManifest, bytes: Buffer.from(canonicalJson(artifact)) };
}

function annotationsOf({ bytes }: RemoteManifest): Readonly<Record<string, unknown>> {
  try {
    return (JSON.parse(bytes.toString('utf8')) as { annotations?: Readonly<Record<string, unknown>> } | null)?.annotations ?? {};
  } catch {
    return {};
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
