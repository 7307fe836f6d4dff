import { DomainError, isDigest, MEDIA_TYPES, PACK_MANIFEST_MAX_BYTES, type Descriptor } from '@packs/domain';
import type { RemoteManifest } from '@packs/ports';

/** What the publisher takes of a pack's manifest, and of its config. */
const CONFIG_MAX_BYTES = 1024 * 1024;

export interface Layer extends Descriptor {
  readonly annotations: Readonly<Record<string, unknown>>;
}

/** @throws DomainError ERR_OCI_MANIFEST_INVALID for what is no pack */
export function packOf(manifest: RemoteManifest): { readonly config: Descriptor; readonly bundle: Descriptor } {
  const { artifactType, config } = parse(manifest.bytes);
  const [bundle, ...more] = layersOf(manifest);
  const isPack = artifactType === MEDIA_TYPES.pack && bundle?.mediaType === MEDIA_TYPES.packBundle && more.length === 0;
  if (!isPack || !isDescriptor(config) || config.mediaType !== MEDIA_TYPES.packConfig) throw invalid('names no pack');
  if (manifest.size > PACK_MANIFEST_MAX_BYTES) throw invalid(`names a manifest of more than ${PACK_MANIFEST_MAX_BYTES} bytes`);
  if (config.size > CONFIG_MAX_BYTES) throw invalid(`names a pack whose config has more than ${CONFIG_MAX_BYTES} bytes`);
  return { config, bundle };
}

export function layersOf({ bytes }: RemoteManifest): Layer[] {
  const { layers } = parse(bytes);
  if (!Array.isArray(layers)) return [];
  return layers.filter(isDescriptor).map(layer => {
    const { annotations } = layer as { annotations?: unknown };
    return { ...layer, annotations: typeof annotations === 'object' && annotations !== null ? { ...annotations } : {} };
  });
}

function parse(bytes: Buffer): Readonly<Record<string, unknown>> {
  try {
    return (JSON.parse(bytes.toString('utf8')) as Readonly<Record<string, unknown>> | null) ?? {};
  } catch {
    return {};
  }
}

function isDescriptor(value: unknown): value is Descriptor {
  const { mediaType, digest, size } = (value ?? {}) as Readonly<Record<string, unknown>>;
  return typeof mediaType === 'string' && isDigest(digest) && Number.isSafeInteger(size) && Number(size) >= 0;
}

function invalid(message: string): DomainError {
  return new DomainError('ERR_OCI_MANIFEST_INVALID', `the reference ${message}`, { errors: [{ field: 'reference', message }] });
}
