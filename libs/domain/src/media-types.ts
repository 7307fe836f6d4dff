/** OCI artifact of a pack version (image-spec "Guidelines for artifact usage"). */
export const MEDIA_TYPES = {
  ociManifest: 'application/vnd.oci.image.manifest.v1+json',
  ociIndex: 'application/vnd.oci.image.index.v1+json',
  ociEmpty: 'application/vnd.oci.empty.v1+json',
  dockerManifest: 'application/vnd.docker.distribution.manifest.v2+json',
  dockerIndex: 'application/vnd.docker.distribution.manifest.list.v2+json',
  pack: 'application/vnd.stellaops.pack.v1',
  packConfig: 'application/vnd.stellaops.pack.config.v1+json',
  packBundle: 'application/vnd.stellaops.pack.bundle.v1.tar+gzip',
  /** The signature bytes themselves, for keys whose scheme the trust material fixes. */
  rawSignature: 'application/vnd.stellaops.pack.signature.v1',
  dsseEnvelope: 'application/vnd.dsse.envelope.v1+json',
  sigstoreBundle: 'application/vnd.dev.sigstore.bundle.v0.3+json',
  /** What cosign 2 signs of an image; the signature is an annotation beside it. */
  simpleSigning: 'application/vnd.dev.cosign.simplesigning.v1+json',
  /** Both in one document: `{payload, signature}`, base64. */
  simpleSignature: 'application/vnd.stellaops.pack.simple-signature.v1+json',
} as const;

export const SIGNATURE_MEDIA_TYPES = [
  MEDIA_TYPES.sigstoreBundle,
  MEDIA_TYPES.dsseEnvelope,
  MEDIA_TYPES.rawSignature,
  MEDIA_TYPES.simpleSignature,
] as const;
export type SignatureMediaType = (typeof SIGNATURE_MEDIA_TYPES)[number];

/** What an attestation comes in: a DSSE envelope, bare or in a sigstore bundle. */
export const ATTESTATION_MEDIA_TYPES = [MEDIA_TYPES.dsseEnvelope, MEDIA_TYPES.sigstoreBundle] as const;
export type AttestationMediaType = (typeof ATTESTATION_MEDIA_TYPES)[number];
