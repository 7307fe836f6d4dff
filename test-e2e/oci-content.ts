import canonicalize from 'canonicalize';
import { BUNDLE_TYPE, digestOf, type Bundle } from './pack-bundle';
import type { SigningKey } from './signing-key';

export const OCI_MANIFEST = 'application/vnd.oci.image.manifest.v1+json';
const EMPTY_CONFIG = 'application/vnd.oci.empty.v1+json';
const PACK = 'application/vnd.stellaops.pack.v1';
const PACK_CONFIG = 'application/vnd.stellaops.pack.config.v1+json';

/** Bytes with the digest they are pushed as. */
export interface OciBlob {
  readonly bytes: Buffer;
  readonly digest: string;
}

/** A manifest with the blobs that have to be there before it. */
export interface OciArtifact extends OciBlob {
  readonly blobs: readonly OciBlob[];
}

export function ociBlob(bytes: Buffer | string): OciBlob {
  return { bytes: Buffer.from(bytes), digest: digestOf(bytes) };
}

/** What any client may push into a generic repository. */
export function anImage(config: Buffer | string, layers: readonly Buffer[], about?: OciBlob): OciArtifact {
  const subject = about && { mediaType: OCI_MANIFEST, digest: about.digest, size: about.bytes.length };
  const more = subject ? { subject } : {};
  return artifact('application/vnd.example.config.v1', ociBlob(config), 'application/vnd.example.layer.v1', layers.map(ociBlob), more);
}

/** A pack as `oras push` makes it. */
export function aPackArtifact({ manifest, bytes }: Bundle): OciArtifact {
  return artifact(PACK_CONFIG, ociBlob(canonicalize(manifest) ?? ''), BUNDLE_TYPE, [ociBlob(bytes)], { artifactType: PACK });
}

/** A key's signature of a manifest, as a referrer. */
export function aSignatureOf({ bytes, digest }: OciBlob, key: SigningKey): OciArtifact {
  const { mediaType, content } = key.raw(bytes);
  const subject = { mediaType: OCI_MANIFEST, digest, size: bytes.length };
  return artifact(EMPTY_CONFIG, ociBlob('{}'), mediaType, [ociBlob(content)], { artifactType: mediaType, subject });
}

function artifact(configType: string, config: OciBlob, layerType: string, layers: readonly OciBlob[], more: object = {}): OciArtifact {
  const describe = (mediaType: string, { bytes, digest }: OciBlob) => ({ mediaType, digest, size: bytes.length });
  const manifest = {
    ...{ schemaVersion: 2, mediaType: OCI_MANIFEST, config: describe(configType, config) },
    layers: layers.map(layer => describe(layerType, layer)),
    ...more,
  };
  return { ...ociBlob(JSON.stringify(manifest)), blobs: [config, ...layers] };
}
