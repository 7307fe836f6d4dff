import { DomainError, isContentDigest, MEDIA_TYPES, type Descriptor, type Digest } from '@packs/domain';
import type { RemoteManifest } from '@packs/ports';

/** What an image manifest or an index names, as far as it has to be there before it. */
export interface NamedContent {
  /** Config and layers, but those that may lie elsewhere alone. */
  readonly blobs: readonly Descriptor[];
  /** Manifests of an index. */
  readonly children: readonly Descriptor[];
  readonly subject: Digest | null;
  /** Whether any part of it is a pack's. */
  readonly isPack: boolean;
}

const MAX_DESCRIPTORS = 10_000;
const INDEXES: readonly string[] = [MEDIA_TYPES.ociIndex, MEDIA_TYPES.dockerIndex];
const IMAGES: readonly string[] = [MEDIA_TYPES.ociManifest, MEDIA_TYPES.dockerManifest];
const OF_PACKS: readonly string[] = [MEDIA_TYPES.packConfig, MEDIA_TYPES.packBundle];

type Json = Readonly<Record<string, unknown>>;

/** @throws DomainError ERR_OCI_MANIFEST_INVALID for what is neither an image manifest nor an index */
export function namedContent({ mediaType, bytes }: RemoteManifest): NamedContent {
  const isIndex = INDEXES.includes(mediaType);
  if (!isIndex && !IMAGES.includes(mediaType)) throw invalid(`${mediaType.slice(0, 100)} is neither an image manifest nor an index`);
  const body = parse(bytes);
  const blobs = isIndex ? [] : [descriptor(body['config'], 'config'), ...here(list(body['layers'], 'layers'))];
  const children = isIndex ? list(body['manifests'], 'manifests').map(one => descriptor(one, 'manifests')) : [];
  const subject = body['subject'] === undefined ? null : descriptor(body['subject'], 'subject').digest;
  const isPack = body['artifactType'] === MEDIA_TYPES.pack || blobs.some(blob => OF_PACKS.includes(blob.mediaType));
  return { blobs, children, subject, isPack };
}

/** Without layers that may lie elsewhere alone (image-spec "Non-Distributable Layers"). */
function here(layers: readonly unknown[]): Descriptor[] {
  return layers
    .filter(layer => {
      const { urls } = (layer ?? {}) as Json;
      return !Array.isArray(urls) || urls.length === 0;
    })
    .map(layer => descriptor(layer, 'layers'));
}

function parse(bytes: Buffer): Json {
  try {
    const parsed: unknown = JSON.parse(bytes.toString('utf8'));
    if (typeof parsed === 'object' && parsed !== null && !Array.isArray(parsed)) return parsed as Json;
  } catch {
    // Told below.
  }
  throw invalid('it is not a JSON object');
}

function list(value: unknown, name: string): readonly unknown[] {
  if (!Array.isArray(value) || value.length > MAX_DESCRIPTORS) throw invalid(`its ${name} are no list of at most ${MAX_DESCRIPTORS}`);
  return value;
}

function descriptor(value: unknown, at: string): Descriptor {
  const { mediaType, digest, size } = (value ?? {}) as Json;
  if (typeof mediaType === 'string' && isContentDigest(digest) && typeof size === 'number' && Number.isSafeInteger(size) && size >= 0) {
    return { mediaType, digest, size };
  }
  throw invalid(`its ${at} names nothing that can be fetched`);
}

function invalid(message: string): DomainError {
  return new DomainError('ERR_OCI_MANIFEST_INVALID', `the manifest was not accepted: ${message}`);
}
