import { DomainError, MEDIA_TYPES, PACK_MANIFEST_MAX_BYTES, type Digest } from '@packs/domain';
import { readWhole, type BlobRef, type BlobStore } from '@packs/ports';
import { JsonFault, parseStrictJson } from '@packs/sigstore';
import type { CheckList } from './check-list';

/** An OCI manifest that was shown to be one of a bundle: whoever signs it, signs the bundle. */
export interface Artifact {
  readonly digest: Digest;
  readonly bytes: Uint8Array;
}

interface Question {
  readonly bundle: BlobRef;
  readonly manifest?: BlobRef;
}

/**
 * That an OCI manifest is a pack's whose one layer is the bundle, by its own bytes; with `config`, that it names this config as well. The bundle's
 * bytes settle its config, so that it need not be made again for a version that is there.
 */
export async function checkArtifact(
  blobs: BlobStore,
  { bundle, manifest }: Question,
  list: CheckList,
  config?: Digest,
): Promise<Artifact | undefined | 'refused'> {
  if (!manifest) return undefined;
  try {
    const bytes = await readWhole(blobs, manifest, PACK_MANIFEST_MAX_BYTES);
    const pointer = mismatch(parse(bytes), bundle, config);
    if (pointer === undefined) {
      list.pass('artifact', manifest.digest);
      return { digest: manifest.digest, bytes };
    }
    const message = 'the OCI manifest is not that of this bundle and its pack.yaml';
    list.fail('artifact', { code: 'ERR_PACK_MANIFEST_MISMATCH', message, pointer }, manifest.digest);
  } catch (error) {
    if (!(error instanceof DomainError) || error.code !== 'ERR_PACK_CORRUPT') throw error;
    const message = 'the stored bytes of the OCI manifest do not have the digest they are named by';
    list.fail('artifact', { code: 'ERR_PACK_DIGEST_MISMATCH', message }, manifest.digest);
  }
  return 'refused';
}

interface Manifest {
  readonly artifactType?: unknown;
  readonly config?: { readonly mediaType?: unknown; readonly digest?: unknown };
  readonly layers?: readonly { readonly mediaType?: unknown; readonly digest?: unknown; readonly size?: unknown }[];
}

/** Where the manifest says something else. */
function mismatch({ artifactType, config, layers }: Manifest, bundle: BlobRef, expected: Digest | undefined): string | undefined {
  const [layer, ...others] = Array.isArray(layers) ? layers : [];
  if (artifactType !== MEDIA_TYPES.pack) return '/artifactType';
  if (config?.mediaType !== MEDIA_TYPES.packConfig) return '/config/mediaType';
  if (expected !== undefined && config.digest !== expected) return '/config/digest';
  if (others.length > 0 || layer?.mediaType !== MEDIA_TYPES.packBundle) return '/layers';
  if (layer.digest !== bundle.digest) return '/layers/0/digest';
  return layer.size === bundle.size ? undefined : '/layers/0/size';
}

function parse(bytes: Uint8Array): Manifest {
  try {
    const value = parseStrictJson(bytes);
    return typeof value === 'object' && value !== null ? value : {};
  } catch (error) {
    if (error instanceof JsonFault) return {};
    throw error;
  }
}
