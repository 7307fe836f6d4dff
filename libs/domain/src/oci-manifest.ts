import { canonicalJson } from './canonical-json';
import { sha256, type Digest } from './digest';
import { MEDIA_TYPES } from './media-types';
import { packTypeOf, type PackManifest } from './pack-manifest';

/** distribution-spec "Pushing Manifests" lets a registry limit them; this is the size it says a registry should take at least. */
export const MANIFEST_MAX_BYTES = 4 * 1024 * 1024;
/** Of a pack, or of what refers to one: read whole at each publish. */
export const PACK_MANIFEST_MAX_BYTES = 64 * 1024;

/** OCI image-spec v1.1 content descriptor. */
export interface Descriptor {
  readonly mediaType: string;
  readonly digest: Digest;
  readonly size: number;
}

export interface EncodedManifest extends Descriptor {
  readonly bytes: Buffer;
  readonly artifactType: string;
  readonly annotations: Readonly<Record<string, string>>;
}

/** The two bytes `{}` that image-spec prescribes where an artifact needs no config. */
export const EMPTY_JSON = Buffer.from('{}');

export const EMPTY_DESCRIPTOR: Descriptor = { mediaType: MEDIA_TYPES.ociEmpty, digest: sha256(EMPTY_JSON), size: EMPTY_JSON.length };

/** The config blob of a pack version: RFC 8785 JSON of its `pack.yaml`. */
export function encodePackConfig(manifest: PackManifest): Buffer {
  return Buffer.from(canonicalJson(manifest));
}

/** The manifest of a pack version. A pure function of the signed content, without a clock, so that every publish of one bundle has one digest. */
export function encodePackManifest(manifest: PackManifest, config: Descriptor, bundle: Descriptor): EncodedManifest {
  const { packId, name, version } = manifest.metadata;
  return encode(MEDIA_TYPES.pack, {
    config,
    // The name that oras gives the file; without one it writes none.
    layers: [{ ...bundle, annotations: { 'org.opencontainers.image.title': `${packId}-${version}.tar.gz` } }],
    annotations: {
      'org.opencontainers.image.title': name,
      'org.opencontainers.image.version': version,
      'io.stellaops.pack.metadata': canonicalJson({ packId, type: packTypeOf(manifest), version }),
    },
  });
}

/** A signature as a referrer of `subject` (image-spec "subject"), the shape cosign 3 writes. */
export function encodeSignatureManifest(signature: Descriptor, subject: Descriptor): EncodedManifest {
  return encode(signature.mediaType, { config: EMPTY_DESCRIPTOR, layers: [signature], subject });
}

/** An attestation as a referrer of `subject`, annotated as cosign 3 and BuildKit do, so that a list of referrers tells what it attests. */
export function encodeAttestationManifest(attestation: Descriptor, subject: Descriptor, predicateType: string): EncodedManifest {
  const bundled = attestation.mediaType === MEDIA_TYPES.sigstoreBundle;
  const annotations = {
    'in-toto.io/predicate-type': predicateType,
    ...(bundled && { 'dev.sigstore.bundle.content': 'dsse-envelope', 'dev.sigstore.bundle.predicateType': predicateType }),
  };
  return encode(attestation.mediaType, { config: EMPTY_DESCRIPTOR, layers: [attestation], subject, annotations });
}

interface ManifestBody {
  readonly config: Descriptor;
  readonly layers: readonly (Descriptor & Pick<ManifestBody, 'annotations'>)[];
  readonly subject?: Descriptor;
  readonly annotations?: Readonly<Record<string, string>>;
}

function encode(artifactType: string, body: ManifestBody): EncodedManifest {
  const bytes = Buffer.from(canonicalJson({ schemaVersion: 2, mediaType: MEDIA_TYPES.ociManifest, artifactType, ...body }));
  const { annotations = {} } = body;
  return { mediaType: MEDIA_TYPES.ociManifest, digest: sha256(bytes), size: bytes.length, bytes, artifactType, annotations };
}
